package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// Linked is what stands behind links to files.
type Linked struct {
	*signing.Links
	// Holder finds who made a link, by the session in the context, while the session lasts.
	Holder func(ctx context.Context) (store.Session, error)
	// Open the file that a link is for.
	Open func(ctx context.Context, l signing.Link) (io.ReadCloser, int64, error)
	// Spend a link that is good for one request: the word by which it is known, until it expires.
	Spend func(ctx context.Context, word string, until time.Time) error
	// Presign a URL by which the store itself hands a file out.
	Presign func(ctx context.Context, path string, lasts time.Duration) (string, error)
}

// NewLinked returns the good one: a link ends with the session it was made in, and opens the content that was there when it was made,
// as long as the file is there.
func NewLinked(links *signing.Links, sessions store.Sessions, files *blobs.Store, requests *signing.Requests) Linked {
	return Linked{links, sessions.Holder, func(ctx context.Context, l signing.Link) (io.ReadCloser, int64, error) {
		return files.GetVersion(ctx, l.Path, l.Version)
	}, requests.Once, files.Presign}
}

// Links are not made idempotent: an answer that is kept would keep the token.
func (a *api) linkRoutes() []route {
	return []route{
		tenants("POST /v1/links", a.createLink),
		linked("GET /v1/links/{token}", "the link is the proof; it opens one content of one file, until it expires", a.readLinked).lasting(long),
		linked("PUT /v1/links/{token}", "the link is the proof; it writes one file, until it expires", a.writeLinked).lasting(long),
	}
}

type linkKey struct{}

// follower guards what a link opens: it is for this request, its tenant is open, and who made it is still let in. All others look the
// same, whatever the reason, and draw on no tenant's limit.
func (a *api) follower(next http.Handler) http.Handler {
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		link, err := a.Linked.Read(r.PathValue("token"), r.Method)
		if err != nil {
			return store.ErrNotFound
		}
		holder, err := a.holder(r.Context(), link)
		if errors.Is(err, ErrInactive) {
			return store.ErrNotFound
		}
		if err != nil {
			return err
		}
		ctx, leave, err := a.enter(r.Context(), tenant.Identity{Tenant: link.Tenant, User: holder.Email, Role: holder.Role, Session: link.Session})
		if errors.Is(err, ErrInactive) {
			return store.ErrNotFound
		}
		if err != nil {
			return err
		}
		defer leave()
		if err := a.limited(ctx, w); err != nil {
			return err
		}
		if err := a.spend(ctx, link); err != nil {
			return err
		}
		w.Header().Set("Referrer-Policy", "no-referrer") // the link is the secret
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, linkKey{}, link)))
		return nil
	})
}

// spend takes a link that is good for one request. What comes of that request takes nothing back: who asks first has been served.
func (a *api) spend(ctx context.Context, l signing.Link) error {
	if l.Once == "" {
		return nil
	}
	err := a.Linked.Spend(ctx, "link:"+l.Once, time.Unix(l.Expires, 0))
	if errors.Is(err, signing.ErrToken) {
		return store.ErrNotFound
	}
	return err
}

// holder is who made a link. Until that is known it is followed by a visitor, who may ask for nothing else.
func (a *api) holder(ctx context.Context, l signing.Link) (store.Session, error) {
	ctx, leave, err := a.enter(ctx, tenant.Identity{Tenant: l.Tenant, User: tenant.Visitor, Role: tenant.Visitor, Session: l.Session})
	if err != nil {
		return store.Session{}, err
	}
	defer leave()
	return a.Linked.Holder(ctx)
}

func linkOf(r *http.Request) signing.Link {
	l, _ := r.Context().Value(linkKey{}).(signing.Link) // the guard has put it there
	return l
}

func (a *api) readLinked(w http.ResponseWriter, r *http.Request) error {
	body, size, err := a.Linked.Open(r.Context(), linkOf(r))
	if err != nil {
		return err
	}
	return a.download(w, r, body, size)
}

func (a *api) writeLinked(w http.ResponseWriter, r *http.Request) error {
	return a.upload(w, r, linkOf(r).Path, "file.put by link")
}

// createLink answers with a URL relative to the service: what a request says of its host is not to be trusted.
func (a *api) createLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Path      string `json:"path"`
		Method    string `json:"method"`
		ExpiresIn int    `json:"expires_in"` // seconds
		Once      bool   `json:"once"`       // good for one request
		Store     bool   `json:"store"`      // a URL of the store, which serves the file itself
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if in.Method != http.MethodGet && in.Method != http.MethodPut {
		return fmt.Errorf("%w: method is GET or PUT", ErrInput)
	}
	if in.ExpiresIn < 1 || in.ExpiresIn > int(signing.MaxLink.Seconds()) {
		return fmt.Errorf("%w: expires_in is a number of seconds from 1 to %.0f", ErrInput, signing.MaxLink.Seconds())
	}
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	if id.Session == "" {
		return store.ErrForbidden // there is nothing that it would end with
	}
	if in.Store && in.Once {
		return fmt.Errorf("%w: the store cannot count how often a URL is used", ErrInput)
	}
	if in.Store {
		return a.presign(w, r, in.Path, in.Method, time.Duration(in.ExpiresIn)*time.Second)
	}
	until := a.Linked.Now().Add(time.Duration(in.ExpiresIn) * time.Second)
	link := signing.Link{Tenant: id.Tenant, Path: in.Path, Method: in.Method, Expires: until.Unix(), Session: id.Session}
	if in.Once {
		link.Once = rand.Text()
	}
	if in.Method == http.MethodGet {
		link.Version, err = a.Files.Current(r.Context(), in.Path)
	} else {
		err = blobs.Valid(in.Path)
	}
	if err != nil {
		return err
	}
	return a.made(w, r, "link.create", in.Method+" "+in.Path, map[string]any{
		"url": "/v1/links/" + a.Linked.Sign(link), "method": in.Method, "path": in.Path, "expires_at": until.UTC().Truncate(time.Second),
	})
}

// presign answers with a URL of the store. No session ends it, so it is short.
func (a *api) presign(w http.ResponseWriter, r *http.Request, path, method string, lasts time.Duration) error {
	if method != http.MethodGet || lasts > blobs.MaxPresigned {
		return fmt.Errorf("%w: a URL of the store is for GET, and lasts at most %.0f seconds", ErrInput, blobs.MaxPresigned.Seconds())
	}
	until := time.Now().Add(lasts) // by the clock that the store has
	signed, err := a.Linked.Presign(r.Context(), path, lasts)
	if err != nil {
		return err
	}
	return a.made(w, r, "link.create", "GET from the store "+path, map[string]any{
		"url": signed, "method": method, "path": path, "expires_at": until.UTC().Truncate(time.Second),
	})
}

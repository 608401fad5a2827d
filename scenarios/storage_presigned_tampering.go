package scenarios

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
)

// Tenants of the scenario, and what the labels of its requests to the store begin with.
const (
	storedBy  = "stored-theirs"
	wantedBy  = "stored-mine"
	presigned = "the store's URL with "
)

var errNoPresigned = errors.New("the owner was given no URL by which the store hands out its own object")

func storagePresignedTampering() harness.Scenario {
	return harness.Scenario{
		ID:    "storage/presigned-tampering",
		Claim: "a URL that the object store signed opens what it was made for, and nobody is given one for what another tenant has",
		Why: "The store knows keys and no tenants: whoever chooses the key chooses whose file it is. What its signature leaves out, be it the " +
			"method, the expiry or how the answer is shown, the holder may choose.",
		Fix: "Build the key from the verified tenant and look up whose the object is before signing; sign for GET alone, for minutes; give clients " +
			"names of files, and take none of the store's keys from them.",
		Refs: harness.Refs{
			CheatSheet: []string{"Use signed URLs with tenant context embedded.", "Use tenant-prefixed paths for all file storage."},
			CWE:        []int{345, 347, 639}, OWASP: []string{"API1"}, Techniques: []string{"45"},
		},
		Needs: harness.Needs{Stored: true},
		Ends:  true, // its tenants are on a tier of their own
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			var made []*harness.Object
			tier, _ := w.StoredTier()
			for _, label := range []string{storedBy, wantedBy} {
				if _, err := w.Enrol(ctx, label, tier); err != nil {
					return err
				}
			}
			for _, label := range []string{storedBy, storedBy, wantedBy} {
				o, err := w.Create(ctx, label, w.Surface().Stored)
				if err != nil {
					return err
				}
				made = append(made, o)
			}
			lure, theirs, mine := made[0], made[1], made[2]
			for _, value := range lure.Values {
				w.Give(wantedBy, value)
			}
			var urls []string
			for _, o := range made {
				w.Watch(ctx, o)
				address, ok := w.Presigned(ctx, o)
				if !ok {
					return errNoPresigned
				}
				urls = append(urls, address)
			}
			attacker := w.Actor(wantedBy)
			for _, b := range changed(urls[0], urls[1], urls[2]) {
				c := harness.Fetching(theirs, b.method, b.address)
				c.Label, c.Header = presigned+b.what, b.header
				w.AttackAs(ctx, attacker.Bare(), c)
			}
			askForForeign(ctx, w, theirs, urls[1])
			if op, ok := mine.Resource.Operation(harness.Read); ok { // what a copy may have put there
				w.AttackAs(ctx, attacker, harness.NewCall(mine.Resource, op, mine.Values))
			}
			return nil
		},
		Judge: judgePresigned,
	}
}

// unsigned is a request that nobody has signed.
type unsigned struct {
	what, method, address string
	header                http.Header
}

// changed are changes of one's own and of a given URL of the store.
func changed(given, foreign, own string) (all []unsigned) {
	add := func(what, method, address string, header http.Header) {
		all = append(all, unsigned{what, method, address, header})
	}
	path, query, _ := strings.Cut(given, "?")
	theirs, _, _ := strings.Cut(foreign, "?")
	add("another key", http.MethodGet, theirs+"?"+query, nil)
	add("no signature", http.MethodGet, theirs, nil)
	u, err := url.Parse(given)
	if err != nil {
		return all
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	root := u.Scheme + "://" + u.Host + "/"
	add("the whole bucket", http.MethodGet, root+bucket+"/?"+query, nil)
	add("another bucket", http.MethodGet, root+bucket+"-2/"+key+"?"+query, nil)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPost, http.MethodHead} {
		add("the method "+method, method, given, nil)
	}
	set := func(name, value string) string {
		values := u.Query()
		values.Set(name, value)
		return path + "?" + values.Encode()
	}
	for _, name := range slices.Sorted(maps.Keys(u.Query())) {
		switch lower := strings.ToLower(name); {
		case strings.Contains(lower, "expires"):
			add("a longer life", http.MethodGet, set(name, "604800"), nil)
		case strings.Contains(lower, "date"):
			add("a later date", http.MethodGet, set(name, "20991231T000000Z"), nil)
		}
	}
	add("another content type", http.MethodGet, set("response-content-type", "text/html"), nil)
	add("another disposition", http.MethodGet, set("response-content-disposition", "inline"), nil)
	add("one parameter more", http.MethodGet, set("response-cache-control", "public"), nil)
	source := strings.TrimPrefix(theirs, root)
	add("a copy of another key", http.MethodPut, own, http.Header{"X-Amz-Copy-Source": {"/" + source}})
	return all
}

// askForForeign has the attacker ask for a URL of what is not its own, by its name and by its key in the store.
func askForForeign(ctx context.Context, w *harness.World, theirs *harness.Object, address string) {
	attacker := w.Actor(wantedBy)
	op, ok := theirs.Resource.Operation(harness.Link)
	u, err := url.Parse(address)
	if !ok || err != nil {
		return
	}
	whole := strings.TrimPrefix(u.Path, "/")
	_, key, _ := strings.Cut(whole, "/")
	for _, name := range []string{theirs.ID, key, whole, "/" + key, "../../" + theirs.ID} {
		c := harness.NewCall(theirs.Resource, op, harness.Values{"id": name})
		c.Label = "asks for a URL of another tenant's object"
		e := w.AttackAs(ctx, attacker, c)
		if found, ok := w.Found(c, e); ok {
			follow := harness.Fetching(theirs, http.MethodGet, found)
			follow.Label = "follows what it was given for another tenant's object"
			w.AttackAs(ctx, attacker.Bare(), follow)
		}
	}
}

// judgePresigned finds what the store answered though nobody had signed it. Whose content came with an answer, the canary judge says.
func judgePresigned(h *harness.History) (findings []harness.Finding, _ error) {
	for _, e := range h.Exchanges {
		what, found := strings.CutPrefix(e.Label, presigned)
		if found && e.Err == "" && e.Response.Status >= 200 && e.Response.Status < 400 {
			findings = append(findings, harness.Finding{
				Summary:  "the store took a URL with " + what + " that nobody had signed",
				Attacker: wantedBy, Victim: storedBy, Channel: "link", Evidence: []string{e.ID},
			})
		}
	}
	return findings, nil
}

package specimen

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/partywall/partywall/harness"
)

// Pages is a service for browsers. People sign in with a form, carry a cookie, and must send the CSRF token of their
// session with every change. Whoever is not signed in is redirected; ids stand in links.
func Pages(broken bool) Specimen {
	s := newState(broken)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<form method=post><input name=user><input name=password type=password></form>`)
	})
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /notes", s.session(s.notesPage))
	mux.HandleFunc("POST /notes", s.session(s.createNote))
	mux.HandleFunc("GET /notes/{id}", s.session(s.notePage))
	mux.HandleFunc("POST /notes/{id}/edit", s.session(s.editNote))
	mux.HandleFunc("POST /notes/{id}/delete", s.session(s.deleteNote))
	form := harness.Body{Kind: "form", Value: map[string]any{"title": "{title}", "text": "{text}"}}
	created := harness.Success{Status: []int{303}, Header: "Location", HeaderMatch: `^/notes/\d+$`}
	page := harness.Success{Body: `<h1>`, NotBody: `name=password`}
	return Specimen{
		Name: "pages", Handler: mux, Provision: s.signIn,
		Surface: harness.Surface{Resources: []harness.Resource{{
			Name: "notes", ID: harness.Locator{Header: "Location", Pattern: `/notes/(\d+)`},
			Fields: []harness.Field{{Name: "title"}, {Name: "text"}},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "POST", Path: "/notes", Body: form, Success: created},
				{Verb: harness.Read, Method: "GET", Path: "/notes/{id}", Success: page},
				{Verb: harness.List, Method: "GET", Path: "/notes", Success: page, Items: harness.Locator{Pattern: `href=/notes/(\d+)`}},
				{Verb: harness.Update, Method: "POST", Path: "/notes/{id}/edit", Body: form, Success: created},
				{Verb: harness.Delete, Method: "POST", Path: "/notes/{id}/delete", Success: harness.Success{Status: []int{303}, Header: "Location", HeaderMatch: `^/notes$`}},
			},
		}}},
	}
}

// signIn does what a browser does: it posts the form, keeps the cookie, and reads the CSRF token from the page.
func (s *state) signIn(ctx context.Context, client *http.Client, base, name string) (harness.Tenant, error) {
	id, password := s.enroll(name)
	form := url.Values{"user": {"alice"}, "password": {password}}
	r, err := http.NewRequestWithContext(ctx, "POST", base+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return harness.Tenant{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	if err != nil {
		return harness.Tenant{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return harness.Tenant{}, err
	}
	token := regexp.MustCompile(`name=csrf value=(\w+)`).FindSubmatch(page)
	if len(answer.Cookies()) == 0 || token == nil {
		return harness.Tenant{}, errors.New("the login gave no cookie or no CSRF token")
	}
	who := browser{cookie: answer.Cookies()[0], csrf: string(token[1])}
	return harness.Tenant{ID: id, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: who}}}, nil
}

// browser is a credential of two parts.
type browser struct {
	cookie *http.Cookie
	csrf   string
}

func (b browser) Apply(_ context.Context, r *http.Request) error {
	r.AddCookie(&http.Cookie{Name: b.cookie.Name, Value: b.cookie.Value})
	if r.Method != http.MethodGet {
		r.Header.Set("X-CSRF-Token", b.csrf)
	}
	return nil
}

func (s *state) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tenant := s.tokens[r.PostFormValue("password")]
	if tenant == "" {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	session, csrf := rand.Text(), rand.Text()
	s.tokens[session], s.tokens["csrf "+session] = tenant, csrf
	http.SetCookie(w, &http.Cookie{Name: "session", Value: session, HttpOnly: true, Path: "/"})
	_, _ = fmt.Fprintf(w, `<h1>Welcome</h1><input type=hidden name=csrf value=%s>`, csrf)
}

func (s *state) session(next func(w http.ResponseWriter, r *http.Request, tenant string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		cookie, err := r.Cookie("session")
		if err != nil || s.tokens[cookie.Value] == "" {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		if r.Method != http.MethodGet && r.Header.Get("X-CSRF-Token") != s.tokens["csrf "+cookie.Value] {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next(w, r, s.tokens[cookie.Value])
	}
}

func (s *state) notesPage(w http.ResponseWriter, _ *http.Request, tenant string) {
	_, _ = io.WriteString(w, "<h1>Notes</h1>")
	for id, o := range s.objects {
		if o.tenant == tenant {
			_, _ = fmt.Fprintf(w, "<li><a href=/notes/%s>%s</a>", id, html.EscapeString(o.fields["title"]))
		}
	}
}

func (s *state) createNote(w http.ResponseWriter, r *http.Request, tenant string) {
	id := s.add(tenant, map[string]string{"title": r.PostFormValue("title"), "text": r.PostFormValue("text")})
	http.Redirect(w, r, "/notes/"+id, http.StatusSeeOther)
}

// note answers with a page that says so where there is none: 200, as single-page applications do.
func (s *state) note(w http.ResponseWriter, r *http.Request, tenant string) *object {
	o := s.find(tenant, r.PathValue("id"))
	if o == nil {
		_, _ = io.WriteString(w, "<p>There is nothing here.")
	}
	return o
}

func (s *state) notePage(w http.ResponseWriter, r *http.Request, tenant string) {
	if o := s.note(w, r, tenant); o != nil {
		_, _ = fmt.Fprintf(w, "<h1>%s</h1><p>%s", html.EscapeString(o.fields["title"]), html.EscapeString(o.fields["text"]))
	}
}

func (s *state) editNote(w http.ResponseWriter, r *http.Request, tenant string) {
	if o := s.note(w, r, tenant); o != nil {
		o.fields["title"], o.fields["text"] = r.PostFormValue("title"), r.PostFormValue("text")
		http.Redirect(w, r, "/notes/"+r.PathValue("id"), http.StatusSeeOther)
	}
}

func (s *state) deleteNote(w http.ResponseWriter, r *http.Request, tenant string) {
	if s.note(w, r, tenant) != nil {
		delete(s.objects, r.PathValue("id"))
		http.Redirect(w, r, "/notes", http.StatusSeeOther)
	}
}

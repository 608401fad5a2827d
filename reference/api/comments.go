package api

import "net/http"

func (a *api) commentRoutes() []route {
	return []route{
		tenants("POST /v1/documents/{document}/comments", a.once(a.createComment)),
		tenants("GET /v1/documents/{document}/comments", a.listComments),
		tenants("GET /v1/documents/{document}/comments/{id}", a.readComment),
		tenants("DELETE /v1/documents/{document}/comments/{id}", a.deleteComment),
	}
}

func (a *api) createComment(w http.ResponseWriter, r *http.Request) error {
	document, err := named(r, "document")
	if err != nil {
		return err
	}
	text, err := textOf(w, r)
	if err != nil {
		return err
	}
	comment, err := a.Comments.Create(r.Context(), document, text)
	if err != nil {
		return err
	}
	return a.made(w, r, "comment.create", comment.ID, comment)
}

// textOf reads a body that is one text.
func textOf(w http.ResponseWriter, r *http.Request) (string, error) {
	var in struct {
		Text *string `json:"text"`
	}
	if err := decode(w, r, &in); err != nil {
		return "", err
	}
	if err := check(true, field{"text", in.Text, 10_000}); err != nil {
		return "", err
	}
	return *in.Text, nil
}

func (a *api) listComments(w http.ResponseWriter, r *http.Request) error {
	return listUnder(w, r, "document", a.Comments.List)
}

func (a *api) readComment(w http.ResponseWriter, r *http.Request) error {
	return showUnder(w, r, "document", a.Comments.Get)
}

func (a *api) deleteComment(w http.ResponseWriter, r *http.Request) error {
	return a.removeUnder(w, r, "document", "comment.delete", a.Comments.Delete)
}

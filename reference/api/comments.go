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
	document, err := named(r, "document")
	if err != nil {
		return err
	}
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	comments, err := a.Comments.List(r.Context(), document, limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(comments, nil))
}

func (a *api) readComment(w http.ResponseWriter, r *http.Request) error {
	document, id, err := pair(r, "document")
	if err != nil {
		return err
	}
	comment, err := a.Comments.Get(r.Context(), document, id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, comment)
}

// pair takes the ids of an object and of the one above it from the path.
func pair(r *http.Request, above string) (parent, id string, err error) {
	if parent, err = named(r, above); err == nil {
		id, err = named(r, "id")
	}
	return parent, id, err
}

func (a *api) deleteComment(w http.ResponseWriter, r *http.Request) error {
	document, id, err := pair(r, "document")
	if err != nil {
		return err
	}
	if err := a.Comments.Delete(r.Context(), document, id); err != nil {
		return err
	}
	return a.gone(w, r, "comment.delete", id)
}

package api

import (
	"net/http"
	"strings"
)

// endpoint is a handler of a route, to tell it from what the mux answers itself.
type endpoint struct{ http.Handler }

// routed answers what has no route with a problem like any other. The mux would redirect a path that is not clean to what it takes
// it for; here such a path names nothing. Only what is encoded reaches a handler, as part of a name.
func (a *api) routed(mux *http.ServeMux) http.Handler {
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		if knows(mux, r, r.Method) {
			mux.ServeHTTP(w, r)
			return nil
		}
		var allowed []string
		for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
			if knows(mux, r, method) {
				allowed = append(allowed, method)
			}
		}
		if allowed == nil {
			return errNoRoute
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return errMethod
	})
}

// knows tells whether a route takes a request if it comes with a method.
func knows(mux *http.ServeMux, r *http.Request, method string) bool {
	asked := *r
	asked.Method = method
	handle, _ := mux.Handler(&asked)
	_, ours := handle.(endpoint)
	return ours
}

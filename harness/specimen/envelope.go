package specimen

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/partywall/partywall/harness"
)

// Envelope answers 200 to everything: {"status":"ok","data":{...}} or {"status":"failed","error":"..."}. Operations are
// named in the path, ids stand in the body.
func Envelope(broken bool) Specimen {
	s := newState(broken)
	call := func(name string, members map[string]any) harness.Operation {
		return harness.Operation{
			Verb: harness.Verb(name), Method: "POST", Path: "/rpc/invoices." + name, Body: harness.Body{Kind: "json", Value: members},
			Success: harness.Success{Pointer: "/status", Equals: "ok", Absent: "/error"},
		}
	}
	id, customer, cents := "{id}", "{customer}", "{cents}"
	return Specimen{
		Name: "envelope", Handler: http.HandlerFunc(s.envelope), Provision: bearers(s),
		Surface: harness.Surface{Resources: []harness.Resource{{
			Name: "invoices", ID: harness.Locator{Pointer: "/data/id"},
			Fields: []harness.Field{{Name: "customer"}, {Name: "cents", Type: harness.Integer}, {Name: "state", Type: harness.Small, Fixed: "draft"}},
			Operations: []harness.Operation{
				call("create", map[string]any{"customer": customer, "cents": cents, "state": "{state}"}),
				call("read", map[string]any{"id": id}),
				call("list", nil),
				call("update", map[string]any{"id": id, "customer": customer, "cents": cents}),
				call("delete", map[string]any{"id": id}),
			},
		}}},
	}
}

func (s *state) envelope(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		ID, Customer, State string
		Cents               json.Number
	}
	_ = json.NewDecoder(r.Body).Decode(&in) // a body that is no JSON is an invoice without values
	fail := func(reason string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "failed", "error": reason})
	}
	succeed := func(data any) { _ = json.NewEncoder(w).Encode(map[string]any{"status": "ok", "data": data}) }
	show := func(id string, o *object) map[string]any {
		return map[string]any{"id": id, "customer": o.fields["customer"], "cents": json.Number(o.fields["cents"])}
	}
	tenant := s.who(r)
	if tenant == "" {
		fail("sign in first")
		return
	}
	o := s.find(tenant, in.ID)
	verb := strings.TrimPrefix(r.URL.Path, "/rpc/invoices.")
	if o == nil && verb != "create" && verb != "list" {
		fail("no such invoice")
		return
	}
	switch verb {
	case "create":
		id := s.add(tenant, map[string]string{"customer": in.Customer, "cents": in.Cents.String()})
		succeed(map[string]string{"id": id})
	case "list":
		all := []any{}
		for id, o := range s.objects {
			if o.tenant == tenant {
				all = append(all, show(id, o))
			}
		}
		succeed(all)
	case "read":
		succeed(show(in.ID, o))
	case "update":
		o.fields["customer"], o.fields["cents"] = in.Customer, in.Cents.String()
		succeed(nil)
	case "delete":
		delete(s.objects, in.ID)
		succeed(nil)
	default:
		fail("no such operation")
	}
}

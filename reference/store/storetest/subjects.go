package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/store"
)

// Subject is a repository with all that can be done to what it keeps.
type Subject struct {
	Name string
	// Plant makes a row that holds the text, under a name that all tenants use, and returns its id.
	Plant func(ctx context.Context, text string) (id string, err error)
	// Tries are the methods that take an id of a row. Done by a neighbour, or with an id that nobody has, each must answer
	// store.ErrNotFound.
	Tries map[string]func(ctx context.Context, id string) error
	// Refers are the methods that make a row of the acting tenant refer to the id: they must answer store.ErrReference.
	Refers map[string]func(ctx context.Context, id string) error
	// Same does to the acting tenant's own what carries the same name as something of its neighbour. May be nil.
	Same func(ctx context.Context) error
	// See returns all that a tenant sees.
	See func(ctx context.Context) (any, error)
}

var (
	page       = store.Page{Limit: 200}
	everything = store.Filter{Page: page}
)

// Subjects are all repositories of the store.
func Subjects(db *store.DB) []Subject {
	return []Subject{
		users(db), sessions(db), members(db), invitations(db),
		categories(db), documents(db), trash(db), comments(db), projects(db), notes(db), invoices(db), preferences(db), once(db), audit(db),
		shares(db), overrides(db),
		exports(db), webhooks(db), dataKeys(db), quotas(db),
		apiKeys(db),
	}
}

type tries = map[string]func(ctx context.Context, id string) error

func documents(db *store.DB) Subject {
	r := store.NewDocuments(db)
	own := func(ctx context.Context) (string, error) {
		docs, _, err := r.List(ctx, everything)
		if err != nil || len(docs) == 0 {
			return "", errors.Join(err, store.ErrNotFound)
		}
		return docs[0].ID, nil
	}
	title := "changed"
	return Subject{
		Name: "documents",
		Plant: func(ctx context.Context, text string) (string, error) {
			d, err := r.Create(ctx, store.Draft{Slug: "plan", Title: text, Body: text})
			if err != nil {
				return "", err
			}
			if _, err := r.Create(ctx, store.Draft{Slug: "plan", Title: text, Body: text}); !errors.Is(err, store.ErrConflict) {
				return "", fmt.Errorf("a second plan of one tenant: %w", err)
			}
			return d.ID, nil
		},
		Tries: tries{
			"get": func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"update": func(ctx context.Context, id string) error {
				_, err := r.Update(ctx, id, store.Change{Title: &title})
				return err
			},
			"delete":  func(ctx context.Context, id string) error { return r.Delete(ctx, id, nil) },
			"clone":   func(ctx context.Context, id string) error { _, err := r.Clone(ctx, id, "copy"); return err },
			"get all": func(ctx context.Context, id string) error { _, err := r.GetAll(ctx, []string{id}); return err },
			"get one's own and": func(ctx context.Context, id string) error {
				mine, err := own(ctx)
				if err != nil {
					return err
				}
				_, err = r.GetAll(ctx, []string{mine, id})
				return err
			},
			"delete one's own and": func(ctx context.Context, id string) error {
				mine, err := own(ctx)
				if err != nil {
					return err
				}
				return r.DeleteAll(ctx, []string{mine, id, mine})
			},
			"update a version": func(ctx context.Context, id string) error {
				version := 1
				_, err := r.Update(ctx, id, store.Change{Title: &title, Version: &version})
				return err
			},
		},
		See: func(ctx context.Context) (any, error) {
			docs, total, err := r.List(ctx, everything)
			return []any{docs, total}, err
		},
	}
}

func trash(db *store.DB) Subject {
	r, docs := store.NewTrash(db), store.NewDocuments(db)
	return Subject{
		Name: "trash",
		Plant: func(ctx context.Context, text string) (string, error) {
			d, err := docs.Create(ctx, store.Draft{Slug: "old plan", Title: text, Body: text})
			if err != nil {
				return "", err
			}
			return d.ID, docs.Delete(ctx, d.ID, nil)
		},
		Tries: tries{
			"get":     func(ctx context.Context, id string) error { _, err := docs.Get(ctx, id); return err },
			"restore": func(ctx context.Context, id string) error { _, err := r.Restore(ctx, id); return err },
			"purge":   r.Purge,
		},
		See: func(ctx context.Context) (any, error) { return r.List(ctx, page) },
	}
}

func categories(db *store.DB) Subject {
	r, docs := store.NewCategories(db), store.NewDocuments(db)
	return Subject{
		Name: "categories",
		Plant: func(ctx context.Context, text string) (string, error) {
			c, err := r.Create(ctx, "plans")
			if err != nil {
				return "", err
			}
			if c, err = r.Rename(ctx, c.ID, "plans "+text); err != nil {
				return "", err
			}
			_, err = docs.Create(ctx, store.Draft{Slug: "in category", Title: text, Body: text, Category: &c.ID})
			return c.ID, err
		},
		Tries: tries{
			"get":    func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"rename": func(ctx context.Context, id string) error { _, err := r.Rename(ctx, id, "changed"); return err },
			"delete": r.Delete,
		},
		Refers: tries{
			"create a document": func(ctx context.Context, id string) error {
				_, err := docs.Create(ctx, store.Draft{Slug: uuid.NewString(), Title: "a", Body: "b", Category: &id})
				return err
			},
			"move a document": func(ctx context.Context, id string) error {
				own, _, err := docs.List(ctx, everything)
				if err == nil {
					_, err = docs.Update(ctx, own[0].ID, store.Change{Category: &id})
				}
				return err
			},
		},
		See: func(ctx context.Context) (any, error) { return r.List(ctx) },
	}
}

func comments(db *store.DB) Subject {
	r, docs := store.NewComments(db), store.NewDocuments(db)
	own := func(ctx context.Context) (string, error) {
		all, _, err := docs.List(ctx, store.Filter{Text: "commented", Page: page})
		if err != nil || len(all) != 1 {
			return "", errors.Join(err, store.ErrNotFound)
		}
		return all[0].ID, nil
	}
	// A comment is tried under the acting tenant's own document, and under that of a neighbour.
	under := func(try func(ctx context.Context, document, id string) error) func(context.Context, string) error {
		return func(ctx context.Context, id string) error {
			mine, err := own(ctx)
			if err != nil {
				return err
			}
			if err := try(ctx, mine, id); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("under a document of one's own: %w", err)
			}
			return try(ctx, id, id)
		}
	}
	return Subject{
		Name: "comments",
		Plant: func(ctx context.Context, text string) (string, error) {
			d, err := docs.Create(ctx, store.Draft{Slug: "commented", Title: "commented", Body: text})
			if err != nil {
				return "", err
			}
			c, err := r.Create(ctx, d.ID, text)
			return c.ID, err
		},
		Tries: tries{
			"get":    under(func(ctx context.Context, document, id string) error { _, err := r.Get(ctx, document, id); return err }),
			"delete": under(r.Delete),
			"list":   func(ctx context.Context, id string) error { _, err := r.List(ctx, id, 10); return err },
			"create": func(ctx context.Context, id string) error { _, err := r.Create(ctx, id, "x"); return err },
		},
		See: func(ctx context.Context) (any, error) {
			mine, err := own(ctx)
			if err != nil {
				return nil, err
			}
			return r.List(ctx, mine, 100)
		},
	}
}

func projects(db *store.DB) Subject {
	r := store.NewProjects(db)
	return Subject{
		Name: "projects",
		Plant: func(ctx context.Context, text string) (string, error) {
			p, err := r.Create(ctx, "move", text)
			return p.ID, err
		},
		Tries: tries{
			"get":    func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"rename": func(ctx context.Context, id string) error { _, err := r.Rename(ctx, id, "changed"); return err },
			"delete": r.Delete,
			"list": func(ctx context.Context, id string) error {
				_, err := store.NewNotes(db).List(ctx, id, page)
				return err
			},
			"create": func(ctx context.Context, id string) error {
				_, err := store.NewNotes(db).Create(ctx, id, "x")
				return err
			},
		},
		Refers: tries{
			"move a note": func(ctx context.Context, id string) error {
				own, err := r.Create(ctx, uuid.NewString(), "a")
				if err != nil {
					return err
				}
				note, err := store.NewNotes(db).Create(ctx, own.ID, "x")
				if err == nil {
					_, err = store.NewNotes(db).Move(ctx, own.ID, note.ID, id)
				}
				return errors.Join(err, r.Delete(ctx, own.ID))
			},
		},
		See: func(ctx context.Context) (any, error) { return r.List(ctx, page) },
	}
}

func notes(db *store.DB) Subject {
	r, above := store.NewNotes(db), store.NewProjects(db)
	under := func(try func(ctx context.Context, project, id string) error) func(context.Context, string) error {
		return func(ctx context.Context, id string) error {
			all, err := above.List(ctx, page)
			if err != nil {
				return err
			}
			for _, own := range all {
				if err := try(ctx, own.ID, id); !errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("under a project of one's own: %w", err)
				}
			}
			return try(ctx, id, id)
		}
	}
	return Subject{
		Name: "notes",
		Plant: func(ctx context.Context, text string) (string, error) {
			p, err := above.Create(ctx, "noted", text)
			if err != nil {
				return "", err
			}
			n, err := r.Create(ctx, p.ID, text)
			return n.ID, err
		},
		Tries: tries{
			"get": under(func(ctx context.Context, project, id string) error { _, err := r.Get(ctx, project, id); return err }),
			"update": under(func(ctx context.Context, project, id string) error {
				_, err := r.Update(ctx, project, id, "x")
				return err
			}),
			"delete": under(r.Delete),
			"move": under(func(ctx context.Context, project, id string) error {
				all, err := above.List(ctx, page)
				if err == nil {
					_, err = r.Move(ctx, project, id, all[0].ID)
				}
				return err
			}),
		},
		See: func(ctx context.Context) (any, error) {
			all, err := above.List(ctx, page)
			seen := map[string][]store.Note{}
			for _, p := range all {
				if err == nil {
					seen[p.ID], err = r.List(ctx, p.ID, page)
				}
			}
			return seen, err
		},
	}
}

func invoices(db *store.DB) Subject {
	r := store.NewInvoices(db)
	return Subject{
		Name: "invoices",
		Plant: func(ctx context.Context, text string) (string, error) {
			i, err := r.Create(ctx, text, 4200)
			if err != nil {
				return "", err
			}
			totals, err := r.Totals(ctx)
			if err == nil && (i.Number != 1 || totals != store.Totals{Count: 1, AmountCents: 4200}) {
				err = fmt.Errorf("the first invoice of a tenant has the number %d, and its totals are %v", i.Number, totals)
			}
			return i.ID, err
		},
		Tries: tries{"get": func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err }},
		See: func(ctx context.Context) (any, error) {
			all, err := r.List(ctx, page)
			if err != nil {
				return nil, err
			}
			totals, err := r.Totals(ctx)
			return []any{all, totals}, err
		},
	}
}

func preferences(db *store.DB) Subject {
	r := store.NewPreferences(db)
	return Subject{
		Name: "preferences",
		Plant: func(ctx context.Context, text string) (string, error) {
			return uuid.NewString(), r.Put(ctx, store.Preference{Name: "theme", Value: text})
		},
		Tries: tries{
			"get":    func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"delete": r.Delete,
		},
		Same: func(ctx context.Context) error {
			return errors.Join(r.Put(ctx, store.Preference{Name: "theme", Value: "dark"}), r.Delete(ctx, "theme"))
		},
		See: func(ctx context.Context) (any, error) { return r.List(ctx) },
	}
}

func users(db *store.DB) Subject {
	r := store.NewUsers(db)
	return Subject{
		Name: "users",
		Plant: func(ctx context.Context, text string) (string, error) {
			return uuid.NewString(), r.Create(ctx, "alice@example.com", "admin", text)
		},
		Tries: tries{"get": func(ctx context.Context, id string) error { _, _, err := r.Get(ctx, id); return err }},
		See: func(ctx context.Context) (any, error) {
			role, hash, err := r.Get(ctx, "alice@example.com")
			return []string{role, hash}, err
		},
	}
}

func once(db *store.DB) Subject {
	r := store.NewOnce(db)
	claim := func(ctx context.Context) (*store.Answer, error) { return r.Claim(ctx, "key", "fingerprint") }
	return Subject{
		Name: "once",
		Plant: func(ctx context.Context, text string) (string, error) {
			if answer, err := claim(ctx); err != nil || answer != nil {
				return "", fmt.Errorf("the first claim of a tenant got %v: %w", answer, err)
			}
			if _, err := claim(ctx); !errors.Is(err, store.ErrOnceBusy) {
				return "", fmt.Errorf("a claim while the first is at work: %w", err)
			}
			if err := r.Keep(ctx, "key", store.Answer{Status: 201, Body: text}); err != nil {
				return "", err
			}
			_, err := r.Claim(ctx, "key", "another")
			if !errors.Is(err, store.ErrOnceOther) {
				return "", fmt.Errorf("a claim for another request: %w", err)
			}
			return uuid.NewString(), nil
		},
		Same: func(ctx context.Context) error {
			return errors.Join(r.Release(ctx, "key"), r.Keep(ctx, "key", store.Answer{Status: 200, Body: "changed"}))
		},
		See: func(ctx context.Context) (any, error) { return claim(ctx) },
	}
}

func audit(db *store.DB) Subject {
	r := store.NewAudit(db, nil)
	return Subject{
		Name: "audit",
		Plant: func(ctx context.Context, text string) (string, error) {
			return uuid.NewString(), errors.Join(r.Append(ctx, "plan", text), r.Refuse(ctx, "plan", text))
		},
		Same: func(ctx context.Context) error {
			_, err := r.Prune(ctx, time.Now().Add(time.Hour))
			return err
		},
		See: func(ctx context.Context) (any, error) {
			trail, err := r.List(ctx, store.Span{Limit: 100})
			if err != nil {
				return nil, err
			}
			v, err := r.Verify(ctx)
			if err == nil && (!v.Intact || v.Entries != len(trail)) {
				err = fmt.Errorf("of %d entries: %+v", len(trail), v)
			}
			return []any{trail, v}, err
		},
	}
}

// Package export writes down all that a tenant has, for the tenant to take away.
//
// It reads through the same repositories as requests do, with the tenant in the context: there is no statement that could
// see more.
package export

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/partywall/partywall/reference/store"
)

// Source is where a tenant's data comes from.
type Source struct {
	Documents   store.Documents
	Comments    store.Comments
	Categories  store.Categories
	Projects    store.Projects
	Notes       store.Notes
	Invoices    store.Invoices
	Preferences store.Preferences
}

// Write writes a ZIP archive with one JSON array for each kind of object of the tenant in the context.
func (s Source) Write(ctx context.Context, to io.Writer) error {
	archive := zip.NewWriter(to)
	for _, write := range []func() error{
		func() error { return entry(archive, "documents", s.documents(ctx)) },
		func() error {
			return entry(archive, "comments", below(s.documents(ctx), func(d store.Document) iter.Seq2[store.Comment, error] {
				return whole(func() ([]store.Comment, error) { return s.Comments.List(ctx, d.ID, math.MaxInt32) })
			}))
		},
		func() error {
			return entry(archive, "categories", whole(func() ([]store.Category, error) { return s.Categories.List(ctx) }))
		},
		func() error { return entry(archive, "projects", s.projects(ctx)) },
		func() error {
			return entry(archive, "notes", below(s.projects(ctx), func(p store.Project) iter.Seq2[store.Note, error] {
				return pages(func(page store.Page) ([]store.Note, error) { return s.Notes.List(ctx, p.ID, page) },
					func(n store.Note) store.Position { return store.Position{At: n.CreatedAt, ID: n.ID} })
			}))
		},
		func() error {
			return entry(archive, "invoices", pages(func(page store.Page) ([]store.Invoice, error) { return s.Invoices.List(ctx, page) },
				func(i store.Invoice) store.Position { return store.Position{At: i.CreatedAt, ID: i.ID} }))
		},
		func() error {
			return entry(archive, "preferences", whole(func() ([]store.Preference, error) { return s.Preferences.List(ctx) }))
		},
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (s Source) documents(ctx context.Context) iter.Seq2[store.Document, error] {
	return pages(func(page store.Page) ([]store.Document, error) {
		docs, _, err := s.Documents.List(ctx, store.Filter{Page: page})
		return docs, err
	}, func(d store.Document) store.Position { return store.Position{At: d.CreatedAt, ID: d.ID} })
}

func (s Source) projects(ctx context.Context) iter.Seq2[store.Project, error] {
	return pages(func(page store.Page) ([]store.Project, error) { return s.Projects.List(ctx, page) },
		func(p store.Project) store.Position { return store.Position{At: p.CreatedAt, ID: p.ID} })
}

// pages are the rows of a list, page by page.
func pages[T any](list func(store.Page) ([]T, error), at func(T) store.Position) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		page := store.Page{Limit: 200}
		for {
			rows, err := list(page)
			if !all(rows, err, yield) || err != nil || len(rows) < page.Limit {
				return
			}
			last := at(rows[len(rows)-1])
			page.After = &last
		}
	}
}

// whole are the rows of a list that has no pages.
func whole[T any](list func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		rows, err := list()
		all(rows, err, yield)
	}
}

// below are the rows under each row.
func below[P, T any](parents iter.Seq2[P, error], rows func(P) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for parent, err := range parents {
			if err != nil {
				all(nil, err, yield)
				return
			}
			for row, err := range rows(parent) {
				if !yield(row, err) {
					return
				}
			}
		}
	}
}

func all[T any](rows []T, err error, yield func(T, error) bool) bool {
	if err != nil {
		var none T
		return yield(none, err)
	}
	for _, row := range rows {
		if !yield(row, nil) {
			return false
		}
	}
	return true
}

func entry[T any](archive *zip.Writer, name string, rows iter.Seq2[T, error]) error {
	// It is not compressed: who looks for what must not be in there needs no tool.
	w, err := archive.CreateHeader(&zip.FileHeader{Name: name + ".json", Method: zip.Store})
	if err != nil {
		return err
	}
	separator := "["
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		data, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n%s", separator, data); err != nil {
			return err
		}
		separator = ","
	}
	if separator == "[" {
		_, err = io.WriteString(w, "[]\n")
	} else {
		_, err = io.WriteString(w, "\n]\n")
	}
	return err
}

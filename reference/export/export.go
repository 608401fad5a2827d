// Package export writes down all that a tenant has, for the tenant to take away.
//
// It reads through the same repositories as requests do, with the tenant in the context: there is no statement that could
// see more.
package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"

	"github.com/partywall/partywall/reference/blobs"
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
	Files       Files
	Audit       store.Audit      // nil leaves the trail out
	Now         func() time.Time // nil means time.Now
}

// Files of the tenant in the context.
type Files interface {
	List(ctx context.Context, limit int) ([]blobs.File, error)
	Get(ctx context.Context, name string) (content io.ReadCloser, size int64, err error)
}

// Write writes a ZIP archive of all that the tenant in the context has: one JSON array for each kind of object, then its files, and at
// last a manifest of what is in the archive.
func (s Source) Write(ctx context.Context, to io.Writer) error {
	p := newPacker(to)
	for _, write := range []func() error{
		func() error { return entry(p, "documents", s.documents(ctx)) },
		func() error {
			return entry(p, "comments", below(s.documents(ctx), func(d store.Document) iter.Seq2[store.Comment, error] {
				return whole(func() ([]store.Comment, error) { return s.Comments.List(ctx, d.ID, math.MaxInt32) })
			}))
		},
		func() error {
			return entry(p, "categories", whole(func() ([]store.Category, error) { return s.Categories.List(ctx) }))
		},
		func() error { return entry(p, "projects", s.projects(ctx)) },
		func() error {
			return entry(p, "notes", below(s.projects(ctx), func(project store.Project) iter.Seq2[store.Note, error] {
				return pages(func(page store.Page) ([]store.Note, error) { return s.Notes.List(ctx, project.ID, page) },
					func(n store.Note) store.Position { return store.Position{At: n.CreatedAt, ID: n.ID} })
			}))
		},
		func() error {
			return entry(p, "invoices", pages(func(page store.Page) ([]store.Invoice, error) { return s.Invoices.List(ctx, page) },
				func(i store.Invoice) store.Position { return store.Position{At: i.CreatedAt, ID: i.ID} }))
		},
		func() error {
			return entry(p, "preferences", whole(func() ([]store.Preference, error) { return s.Preferences.List(ctx) }))
		},
		func() error { return s.trail(ctx, p) },
		func() error { return s.files(ctx, p) },
		func() error { return s.manifest(ctx, p) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return p.zip.Close()
}

func (s Source) trail(ctx context.Context, p *packer) error {
	if s.Audit == nil {
		return nil
	}
	return entry(p, "audit", func(yield func(store.Entry, error) bool) {
		for span := (store.Span{Limit: 200}); ; {
			rows, err := s.Audit.List(ctx, span)
			if !all(rows, err, yield) || err != nil || len(rows) < span.Limit {
				return
			}
			span.Before = rows[len(rows)-1].Seq
		}
	})
}

// files copies each file as it is read. One that was deleted meanwhile is left out.
func (s Source) files(ctx context.Context, p *packer) error {
	files, err := s.Files.List(ctx, math.MaxInt32)
	if err != nil {
		return fmt.Errorf("export the files: %w", err)
	}
	for _, f := range files {
		if err := s.file(ctx, p, f.Path); err != nil {
			return fmt.Errorf("export a file: %w", err)
		}
	}
	return nil
}

func (s Source) file(ctx context.Context, p *packer, name string) error {
	content, _, err := s.Files.Get(ctx, name)
	if errors.Is(err, blobs.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // it was only read
	w, err := p.create("files/" + name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
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

func entry[T any](p *packer, name string, rows iter.Seq2[T, error]) error {
	w, err := p.create(name + ".json")
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

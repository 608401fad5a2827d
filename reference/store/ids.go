package store

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// byID names one row: "uuid" is what rows are found by, and null where the text is no id that was ever given out, which finds
// none. "id" is the text as it came.
func byID(id string) pgx.NamedArgs {
	return pgx.NamedArgs{"id": id, "uuid": parsed(id)}
}

// parsed is an id in the one form in which ids are given out, or nil.
func parsed(id string) *string {
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return nil
	}
	return &id
}

// Position is where a page of a list begins: behind the row with this time and id.
type Position struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// Page asks for rows of a list, newest first.
type Page struct {
	After *Position // nil: from the start
	Limit int
}

// args of a statement that returns one page.
func (p Page) args() pgx.NamedArgs {
	args := pgx.NamedArgs{"limit": p.Limit, "after_at": nil, "after_id": nil}
	if p.After != nil {
		args["after_at"], args["after_id"] = p.After.At, parsed(p.After.ID)
	}
	return args
}

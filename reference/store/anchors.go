package store

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/tenant"
)

// Anchor is the head of a trail as it was seen when the trail was whole.
type Anchor struct {
	Seq  int64
	Hash []byte
}

// Anchors are kept beside the registry, not in the room of the tenant, and marked with a key of the service: a trail that was made
// anew, or cut off at its end together with its head, does not match the one that was seen.
type Anchors struct {
	Pool *pgxpool.Pool
	// Mark is a keyed digest of texts.
	Mark func(texts ...string) string
}

// ErrAnchor means that an anchor was not written by the service.
var ErrAnchor = errors.New("the anchor of the trail was changed")

func (a *Anchors) mark(id tenant.ID, anchor Anchor) string {
	return a.Mark("audit anchor", string(id), strconv.FormatInt(anchor.Seq, 10), hex.EncodeToString(anchor.Hash))
}

// Set remembers a head, unless a later one is remembered already.
func (a *Anchors) Set(ctx context.Context, id tenant.ID, anchor Anchor) error {
	if a == nil || anchor.Seq == 0 {
		return nil
	}
	_, err := a.Pool.Exec(ctx, `insert into audit_anchors as a (id, seq, hash, mark) values ($1::uuid, $2, $3, $4)
		on conflict (id) do update set seq = excluded.seq, hash = excluded.hash, mark = excluded.mark, at = now() where a.seq < excluded.seq`,
		parsed(string(id)), anchor.Seq, anchor.Hash, a.mark(id, anchor))
	if err != nil {
		return fmt.Errorf("anchor a trail: %w", err)
	}
	return nil
}

func (a *Anchors) of(ctx context.Context, id tenant.ID) (anchor Anchor, there bool, err error) {
	if a == nil {
		return anchor, false, nil
	}
	mark := ""
	err = a.Pool.QueryRow(ctx, `select seq, hash, mark from audit_anchors where id = $1::uuid`, parsed(string(id))).Scan(&anchor.Seq, &anchor.Hash, &mark)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return anchor, false, nil
	case err != nil:
		return anchor, false, fmt.Errorf("look up the anchor of a trail: %w", err)
	case !hmac.Equal([]byte(mark), []byte(a.mark(id, anchor))):
		return anchor, false, ErrAnchor
	}
	return anchor, true, nil
}

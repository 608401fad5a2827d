package reference

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	service "github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing"
)

// mostReplicas of one service: each works with connections of its own.
const mostReplicas = 4

// replicas are several processes of one service, as far as its tenants can tell: they share what they stand on and their secret, and
// what is planted is planted in each. It returns the parts of all, and a handler that gives each request to the next of them.
func replicas(
	ctx context.Context, o Options, cfg service.Config, base *backing.Service, edit func(*service.Parts),
) ([]*service.Parts, http.Handler, error) {
	cfg.Secret = make([]byte, service.SecretSize)
	_, _ = rand.Read(cfg.Secret) // it never fails
	var all []*service.Parts
	var turns turns
	for i := range max(1, o.Replicas) {
		parts, err := service.Assemble(cfg, base)
		if err != nil {
			return nil, nil, err
		}
		edit(parts)
		for _, plant := range o.Plant {
			plant(parts)
		}
		if i > 0 {
			parts.OwnerSQL = nil // it has run: they share one database
		}
		handler, err := service.New(ctx, parts)
		if err != nil {
			return nil, nil, err
		}
		all, turns.handlers = append(all, parts), append(turns.handlers, handler)
	}
	if len(all) == 1 {
		return all, turns.handlers[0], nil
	}
	return all, &turns, nil
}

// turns has handlers answer in turn.
type turns struct {
	handlers []http.Handler
	taken    atomic.Uint64
}

func (t *turns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	turn := (t.taken.Add(1) - 1) % uint64(len(t.handlers))
	t.handlers[turn].ServeHTTP(w, r)
}

// parseReplicas reads "STRATEGY[@REPLICAS]".
func parseReplicas(text string) (strategy string, n int, err error) {
	strategy, number, asked := strings.Cut(text, "@")
	if !asked {
		return strategy, 0, nil
	}
	n, err = strconv.Atoi(number)
	if err != nil || n < 1 || n > mostReplicas {
		return "", 0, fmt.Errorf("a strategy is followed by how many processes there are, as in row@2: from 1 to %d", mostReplicas)
	}
	return strategy, n, nil
}

package cache

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

func newCache(t testing.TB) (*Cache, *miniredis.Miniredis) {
	t.Helper()
	engine := miniredis.RunT(t)
	return New(clientOf(t, engine)), engine
}

func clientOf(t testing.TB, engine *miniredis.Miniredis) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: engine.Addr(), DisableIdentity: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func as(t testing.TB, id tenant.ID) context.Context {
	return tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "alice"})
}

// value is a load that answers with a text and counts how often it was asked.
func value(text string, count *int) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		*count++
		return text, nil
	}
}

// TestCall: a value is loaded once for each tenant that asks for a name, and kept for the cache's TTL.
func TestCall(t *testing.T) {
	c, engine := newCache(t)
	loads := map[tenant.ID]*int{"a": new(int), "b": new(int)}
	for range 3 {
		for id, n := range loads {
			if got, err := Call(as(t, id), c, "space", "name", value("of "+string(id), n)); err != nil || got != "of "+string(id) {
				t.Errorf("%s reads %q, %v", id, got, err)
			}
		}
	}
	if *loads["a"] != 1 || *loads["b"] != 1 {
		t.Errorf("they were loaded %d and %d times", *loads["a"], *loads["b"])
	}
	engine.FastForward(c.TTL + time.Second)
	if _, err := Call(as(t, "a"), c, "space", "name", value("", loads["a"])); err != nil || *loads["a"] != 2 {
		t.Errorf("behind its TTL it was loaded %d times, %v", *loads["a"], err)
	}
	failure := errors.New("no")
	for range 2 {
		if _, err := Call(as(t, "a"), c, "space", "other", func(context.Context) (int, error) { return 0, failure }); !errors.Is(err, failure) {
			t.Errorf("a load that fails answers %v", err)
		}
	}
	if _, err := Call(context.Background(), c, "space", "name", value("", new(int))); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("without a tenant it answers %v", err)
	}
}

// TestKeysDoNotMeet: no two names, spaces or tenants share a key or a flight, however they are cut.
func TestKeysDoNotMeet(t *testing.T) {
	parts := []string{":", "/", "{", "}", "\x00", "\r\n", "*", "?", "[", "a", "t:", "%3a"}
	names := append([]string{""}, parts...)
	for _, first := range parts {
		for _, second := range parts {
			names = append(names, first+second)
			for _, third := range parts {
				names = append(names, first+second+third)
			}
		}
	}
	keys, flights := map[string]bool{}, map[string]bool{}
	good := 0
	for _, id := range []tenant.ID{"a", "b", "a:a"} {
		for _, space := range []string{"a", "b", "a-a", "", ":", "a:a", "A", "a\x00", strings.Repeat("a", 33), "a\n"} {
			for _, name := range names {
				key, err := Key(id, space, name)
				if wrong := name == "" || !spaceForm.MatchString(space); wrong != (err != nil) {
					t.Fatalf("Key(%q, %q, %q) is %q, %v", id, space, name, key, err)
				}
				if err != nil {
					continue
				}
				good++
				keys[key], flights[Flight(id, space, name)] = true, true
				if !strings.HasPrefix(key, prefix(id)) || len(key) != len("t::")+64+len(space)+1+64 || strings.ContainsAny(key, "{}*?[\\\r\n\x00 ") {
					t.Fatalf("Key(%q, %q, %q) is %q", id, space, name, key)
				}
			}
		}
	}
	if good == 0 || len(keys) != good || len(flights) != good {
		t.Errorf("%d names have %d keys and %d flights", good, len(keys), len(flights))
	}
	if _, err := Key("a", "space", strings.Repeat("x", 1025)); !errors.Is(err, ErrName) {
		t.Errorf("a name that is too long: %v", err)
	}
}

// FuzzKey: two places have one key only if they are one place.
func FuzzKey(f *testing.F) {
	f.Add("a", "b", "c", "a", "b:c", "")
	f.Add("a", "space", "x:y", "a:space", "x", "y")
	f.Fuzz(func(t *testing.T, id1, space1, name1, id2, space2, name2 string) {
		first, err1 := Key(tenant.ID(id1), space1, name1)
		second, err2 := Key(tenant.ID(id2), space2, name2)
		if err1 == nil && err2 == nil && (first == second) != (id1 == id2 && space1 == space2 && name1 == name2) {
			t.Errorf("%q %q %q is kept under %q, and %q %q %q under %q", id1, space1, name1, first, id2, space2, name2, second)
		}
	})
}

// TestPoisoned: an entry that somebody else owns, or that cannot be read, is removed, counted and not used. Without the check of the
// owner it would be.
func TestPoisoned(t *testing.T) {
	c, engine := newCache(t)
	ctx := as(t, "a")
	key, err := Key("a", "space", "name")
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := json.Marshal(envelope{Owner: "b", Value: []byte(`"of b"`)})
	mark, _ := json.Marshal(envelope{Owner: "b", Mark: "shut"})
	for i, poison := range []string{string(foreign), string(mark), "no JSON", "null", "{}", `{"value":"Im9mIGIi"}`} {
		if err := engine.Set(key, poison); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := c.Get(ctx, "space", "name"); ok || err != nil || engine.Exists(key) || c.Poisoned() != int64(2*i+1) {
			t.Errorf("%s is found: %v, %v; still there: %v; counted %d", poison, ok, err, engine.Exists(key), c.Poisoned())
		}
		_ = engine.Set(key, poison)
		n := 0
		for range 2 {
			if got, err := Call(ctx, c, "space", "name", value("own", &n)); got != "own" || err != nil {
				t.Errorf("instead of %s it reads %q, %v", poison, got, err)
			}
		}
		if n != 1 {
			t.Errorf("instead of %s it was loaded %d times", poison, n)
		}
	}
	c.Owns = func(tenant.ID, string) bool { return true }
	_ = engine.Set(key, string(foreign))
	if got, err := Call(ctx, c, "space", "name", value("own", new(int))); got != "of b" || err != nil {
		t.Errorf("without the check it reads %q, %v", got, err)
	}
}

// TestNothingStays: all that the cache writes expires, whatever TTL it was given.
func TestNothingStays(t *testing.T) {
	for _, ttl := range []time.Duration{-1, 0, 1, time.Minute, 1000 * time.Hour} {
		c, engine := newCache(t)
		c.TTL = ttl
		ctx := as(t, "a")
		all := func(when string) {
			for _, key := range engine.Keys() {
				if left := engine.TTL(key); left <= 0 || left > MaxTTL {
					t.Errorf("with a TTL of %v, %s, a key has %v left", ttl, when, left)
				}
			}
		}
		_, err := Call(ctx, c, "space", "name", func(context.Context) (int, error) {
			if len(engine.Keys()) != 1 {
				t.Errorf("there is no lease")
			}
			all("while it is loaded")
			return 1, nil
		})
		if err != nil || len(engine.Keys()) != 1 {
			t.Errorf("kept are %v, %v", engine.Keys(), err)
		}
		all("when it is kept")
		if err := c.Change(ctx, "space", "name", func() error { all("while it is changed"); return nil }); err != nil || len(engine.Keys()) != 0 {
			t.Errorf("after a change there are %v, %v", engine.Keys(), err)
		}
	}
}

// TestRooms: the entries of a tier with a room of its own lie there and nowhere else; a purge, of that tenant alone, finds them in
// whichever room.
func TestRooms(t *testing.T) {
	c, engine := newCache(t)
	own := miniredis.RunT(t)
	c.Apart = map[string]Room{"vault": {Client: clientOf(t, own)}, "corner": {Client: c.Room.Client, Prefix: "corner:"}}
	identity := func(id tenant.ID, tier string) context.Context {
		return tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, Tier: tier})
	}
	for _, tier := range []string{"free", "vault", "corner"} {
		for _, id := range []tenant.ID{"a", "b"} {
			if got, err := Call(identity(id, tier), c, "space", "name", value(tier+string(id), new(int))); got != tier+string(id) || err != nil {
				t.Errorf("%s in the tier %s reads %q, %v", id, tier, got, err)
			}
		}
	}
	corner := 0
	for _, key := range engine.Keys() {
		if strings.HasPrefix(key, "corner:t:") {
			corner++
		}
	}
	if len(engine.Keys()) != 4 || corner != 2 || len(own.Keys()) != 2 {
		t.Errorf("they lie in %v and %v", engine.Keys(), own.Keys())
	}
	if err := c.Purge(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if len(engine.Keys()) != 2 || len(own.Keys()) != 1 {
		t.Errorf("after a purge of one of them, left are %v and %v", engine.Keys(), own.Keys())
	}
	for _, tier := range []string{"free", "vault", "corner"} {
		n := 0
		if _, err := Call(identity("b", tier), c, "space", "name", value("", &n)); n != 0 || err != nil {
			t.Errorf("in the tier %s the other one's is gone: %v", tier, err)
		}
	}
	own.SetError("away")
	if err := c.Purge(t.Context(), "b"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a purge with a room away says %v", err)
	}
}

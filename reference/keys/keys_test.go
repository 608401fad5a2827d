package keys_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/partywall/partywall/reference/keys"
	"github.com/partywall/partywall/reference/tenant"
)

// table keeps keys in memory, by tenant.
type table map[tenant.ID][][2]string

func (t table) of(ctx context.Context) ([][2]string, tenant.ID, error) {
	id, err := tenant.From(ctx)
	return t[id.Tenant], id.Tenant, err
}

func (t table) Add(ctx context.Context, id, wrapped string) error {
	_, owner, err := t.of(ctx)
	t[owner] = append(t[owner], [2]string{id, wrapped})
	return err
}

func (t table) Get(ctx context.Context, id string) (string, bool, error) {
	rows, _, err := t.of(ctx)
	for _, row := range rows {
		if row[0] == id {
			return row[1], true, err
		}
	}
	return "", false, err
}

func (t table) Newest(ctx context.Context) (string, string, bool, error) {
	rows, _, err := t.of(ctx)
	if len(rows) == 0 {
		return "", "", false, err
	}
	last := rows[len(rows)-1]
	return last[0], last[1], true, err
}

func as(t testing.TB, id tenant.ID) context.Context {
	return tenant.NewContext(t.Context(), tenant.Identity{Tenant: id})
}

func vault(t testing.TB) (*keys.Vault, table) {
	t.Helper()
	kms, err := keys.Local(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	rows := table{}
	v := &keys.Vault{KMS: kms, Table: rows}
	for _, id := range []tenant.ID{"a", "b"} {
		for range 2 { // it may be repeated
			if err := v.Provision(as(t, id)); err != nil || len(rows[id]) != 1 {
				t.Fatal(err, rows)
			}
		}
	}
	return v, rows
}

func seal(ctx context.Context, t testing.TB, v *keys.Vault, content, object string) (sealed []byte, key string) {
	t.Helper()
	r, key, err := v.Seal(ctx, strings.NewReader(content), object)
	if err != nil {
		t.Fatal(err)
	}
	if sealed, err = io.ReadAll(iotest.OneByteReader(r)); err != nil {
		t.Fatal(err)
	}
	return sealed, key
}

func open(ctx context.Context, v *keys.Vault, sealed []byte, key, object string) (string, error) {
	r, err := v.Open(ctx, bytes.NewReader(sealed), key, object)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(r)
	return string(content), err
}

// TestSizes: contents of every size around the ends of segments open again, and both sizes can be told from the other.
func TestSizes(t *testing.T) {
	v, _ := vault(t)
	ctx := as(t, "a")
	const segment, header, tag = 64 << 10, 40, 16
	for _, end := range []int{0, 512, segment - header - tag, 2*(segment-tag) - header, 3*(segment-tag) - header} {
		for _, size := range []int{end - 1, end, end + 1} {
			if size < 0 {
				continue
			}
			content := strings.Repeat("x", size)
			sealed, key := seal(ctx, t, v, content, "o")
			if got := v.SealedSize(int64(size)); got != int64(len(sealed)) || v.OpenedSize(got) != int64(size) {
				t.Errorf("%d bytes are %d when sealed, it says %d, and back %d", size, len(sealed), got, v.OpenedSize(got))
			}
			if got, err := open(ctx, v, sealed, key, "o"); err != nil || got != content {
				t.Errorf("%d bytes open as %d, %v", size, len(got), err)
			}
		}
	}
}

// TestSwapped: what was sealed for one place opens at no other, with no other key, and only whole.
func TestSwapped(t *testing.T) {
	v, rows := vault(t)
	a, b := as(t, "a"), as(t, "b")
	content := strings.Repeat("of a ", 50_000)
	sealed, key := seal(a, t, v, content, "plan")
	other, otherKey := seal(b, t, v, "of b", "plan")
	if bytes.Contains(sealed, []byte("of a of a")) {
		t.Error("it can be read")
	}
	rows["b"] = append(rows["b"], rows["a"]...) // a row that was swapped in the table
	changed := bytes.Clone(sealed)
	changed[len(changed)/2]++
	for name, try := range map[string]struct {
		ctx         context.Context
		sealed      []byte
		key, object string
	}{
		"another object":            {a, sealed, key, "plan "},
		"another tenant":            {b, sealed, otherKey, "plan"},
		"another tenant, whose key": {b, sealed, key, "plan"},
		"another's content":         {a, other, key, "plan"},
		"a foreign key":             {a, sealed, otherKey, "plan"},
		"no key":                    {a, sealed, "", "plan"},
		"cut off":                   {a, sealed[:len(sealed)-1], key, "plan"},
		"cut off at a segment":      {a, sealed[:64<<10], key, "plan"},
		"longer":                    {a, append(bytes.Clone(sealed), 0), key, "plan"},
		"changed":                   {a, changed, key, "plan"},
		"empty":                     {a, nil, key, "plan"},
	} {
		if got, err := open(try.ctx, v, try.sealed, try.key, try.object); err == nil {
			t.Errorf("%s: %d bytes open", name, len(got))
		}
	}
	if got, err := open(a, v, sealed, key, "plan"); err != nil || got != content {
		t.Error(err)
	}
	if _, err := v.Open(a, bytes.NewReader(other), key, "plan"); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("what does not open fails with %v, and when it is read", err)
	}
}

// TestRotation: a new key seals what comes after it, the old one still opens what came before; without its rows nothing opens.
func TestRotation(t *testing.T) {
	v, rows := vault(t)
	a := as(t, "a")
	before, old := seal(a, t, v, "before", "o")
	if err := v.Rotate(a); err != nil {
		t.Fatal(err)
	}
	after, fresh := seal(a, t, v, "after", "o")
	if old == fresh {
		t.Error("the key is the old one")
	}
	for want, with := range map[string]struct {
		sealed []byte
		key    string
	}{"before": {before, old}, "after": {after, fresh}} {
		if got, err := open(a, v, with.sealed, with.key, "o"); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	kept := rows["a"]
	delete(rows, "a")
	if _, err := open(a, v, before, old, "o"); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("without its key: %v", err)
	}
	if _, _, err := v.Seal(a, strings.NewReader("x"), "o"); !errors.Is(err, keys.ErrUnprovisioned) {
		t.Errorf("a tenant without a key writes: %v", err)
	}
	rows["a"] = kept
	other, err := keys.Local(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(a, &keys.Vault{KMS: other, Table: rows}, before, old, "o"); err == nil {
		t.Error("another master key opens it")
	}
}

// TestBrokenContent: a content that breaks off is not sealed as if it were whole.
func TestBrokenContent(t *testing.T) {
	v, _ := vault(t)
	broken := errors.New("broken")
	r, _, err := v.Seal(as(t, "a"), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), "o")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
	sealed, key := seal(as(t, "a"), t, v, "whole", "o")
	if _, err := v.Open(as(t, "a"), io.MultiReader(bytes.NewReader(sealed[:20]), iotest.ErrReader(broken)), key, "o"); !errors.Is(err, broken) || errors.Is(err, keys.ErrSealed) {
		t.Errorf("a store that fails looks like %v", err)
	}
}

// TestKeysWantATenant: nothing is sealed or opened without one, and a master key has its length.
func TestKeysWantATenant(t *testing.T) {
	v, _ := vault(t)
	_, _, seals := v.Seal(t.Context(), strings.NewReader("x"), "o")
	_, opens := v.Open(t.Context(), strings.NewReader("x"), "k", "o")
	for name, err := range map[string]error{"seal": seals, "open": opens, "rotate": v.Rotate(t.Context()), "provision": v.Provision(t.Context())} {
		if !errors.Is(err, tenant.ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int{0, 16, 31, 33} {
		if _, err := keys.Local(make([]byte, size)); err == nil {
			t.Errorf("a master key of %d bytes", size)
		}
	}
}

// BenchmarkVault is what sealing and opening cost, without a store.
func BenchmarkVault(b *testing.B) {
	v, _ := vault(b)
	ctx := as(b, "a")
	for _, size := range []int{1 << 10, 10 << 20} {
		content := bytes.Repeat([]byte{1}, size)
		var sealed bytes.Buffer
		key := ""
		b.Run(fmt.Sprintf("seal/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r, id, err := v.Seal(ctx, bytes.NewReader(content), "o")
				if err != nil {
					b.Fatal(err)
				}
				sealed.Reset()
				if _, err := io.Copy(&sealed, r); err != nil {
					b.Fatal(err)
				}
				key = id
			}
		})
		b.Run(fmt.Sprintf("open/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r, err := v.Open(ctx, bytes.NewReader(sealed.Bytes()), key, "o")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

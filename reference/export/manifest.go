package export

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// Manifest says what is in an archive. It is its last entry, manifest.json.
type Manifest struct {
	Tenant  tenant.ID `json:"tenant"`
	MadeAt  time.Time `json:"made_at"`
	Entries []Entry   `json:"entries"`
}

// Entry of an archive.
type Entry struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// packer writes an archive, and adds up what is written.
type packer struct {
	zip     *zip.Writer
	entries []Entry
	sum     hash.Hash
}

func newPacker(to io.Writer) *packer { return &packer{zip: zip.NewWriter(to), sum: sha256.New()} }

// create ends the entry before it. It is not compressed: who looks for what must not be in there needs no tool.
func (p *packer) create(name string) (io.Writer, error) {
	p.seal()
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return nil, err
	}
	p.entries = append(p.entries, Entry{Name: name})
	return io.MultiWriter(w, p.sum, &p.entries[len(p.entries)-1]), nil
}

// seal notes the checksum of the last entry.
func (p *packer) seal() {
	if n := len(p.entries); n > 0 {
		p.entries[n-1].SHA256 = hex.EncodeToString(p.sum.Sum(nil))
	}
	p.sum.Reset()
}

// Write counts the bytes of the entry.
func (e *Entry) Write(b []byte) (int, error) {
	e.Bytes += int64(len(b))
	return len(b), nil
}

func (s Source) manifest(ctx context.Context, p *packer) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	p.seal()
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	data, err := json.MarshalIndent(Manifest{Tenant: id.Tenant, MadeAt: now().UTC(), Entries: p.entries}, "", "\t")
	if err != nil {
		return err
	}
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: "manifest.json", Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

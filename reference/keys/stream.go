package keys

import (
	"bytes"
	"errors"
	"io"
)

// What a stream of sealed content is made of: a header, then segments that each end in a tag. The first is shorter by the header.
const (
	keySize = 32
	segment = 64 << 10
	header  = 1 + keySize + 7 // its own length, a salt, the prefix of the nonces
	tag     = 16
)

// SealedSize is how long a content of a size is when it is sealed.
func (v *Vault) SealedSize(size int64) int64 {
	segments := max(1, (header+size+segment-tag-1)/(segment-tag))
	return header + size + segments*tag
}

// OpenedSize is how long a content is that has a size when it is sealed.
func (v *Vault) OpenedSize(sealed int64) int64 {
	segments := (sealed + segment - 1) / segment
	return max(0, sealed-header-segments*tag)
}

// sealing reads a content and hands on what it is when sealed; it holds a segment or two of it, however long the content is.
type sealing struct {
	content io.Reader
	cipher  io.WriteCloser
	sealed  bytes.Buffer
	piece   [16 << 10]byte
	err     error
}

// Read implements io.Reader.
func (s *sealing) Read(p []byte) (int, error) {
	for s.sealed.Len() == 0 && s.err == nil {
		n, err := s.content.Read(s.piece[:])
		if _, failed := s.cipher.Write(s.piece[:n]); failed != nil {
			err = failed
		}
		if errors.Is(err, io.EOF) {
			if failed := s.cipher.Close(); failed != nil {
				err = failed
			}
		}
		s.err = err
	}
	if s.sealed.Len() == 0 {
		return 0, s.err
	}
	return s.sealed.Read(p)
}

// opening tells a sealed content that does not open from one that could not be read.
type opening struct {
	content io.Reader
	sealed  *remembering
	first   []byte
	err     error // what came with the first piece
}

// begin opens the first segment: who is answered at all is answered with what is genuine.
func (o *opening) begin() (io.Reader, error) {
	piece := make([]byte, 512)
	n, err := io.ReadFull(o.content, piece)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, o.failure(err)
	}
	o.first, o.err = piece[:n], err
	return o, nil
}

// Read implements io.Reader.
func (o *opening) Read(p []byte) (int, error) {
	if len(o.first) > 0 {
		n := copy(p, o.first)
		o.first = o.first[n:]
		return n, nil
	}
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.content.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.failure(err)
	}
	return n, err
}

func (o *opening) failure(err error) error {
	if o.sealed.err != nil {
		return o.sealed.err
	}
	return errors.Join(ErrSealed, err)
}

// remembering keeps the error of a reader that failed.
type remembering struct {
	io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

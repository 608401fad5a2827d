// Package reports keeps the evidence of a run on disk and renders it for people and for machines.
//
// A [Folder] is written while a run goes on: evidence.jsonl receives the record of each cell as it is judged, so memory
// stays flat and an interrupted run loses nothing. At the end report.json, report.txt and report.html are written beside
// it. All of them are rendered from the report and the stored evidence alone, so they can be rendered again, and the
// evidence can be judged again, without the target.
package reports

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/partywall/partywall/harness"
)

// Format is the version of the evidence file. Its first line is a [Header], every further one a [Record].
const Format = "partywall-evidence/1"

// Names of the files in a folder.
const (
	EvidenceFile = "evidence.jsonl"
	JSONFile     = "report.json"
	TextFile     = "report.txt"
	HTMLFile     = "report.html"
)

// Errors of this package.
var (
	ErrExists   = errors.New("a report is never overwritten")
	ErrNoReport = errors.New("no report here")
)

// Header is the first line of the evidence.
type Header struct {
	Format string `json:"format"`
	Target string `json:"target"`
	Seed   int64  `json:"seed"`
	// Spec is the text that opens the target again, as given to --target.
	Spec string `json:"spec"`
}

// Record is the history of one cell with its verdict. What was sent outside of cells has none.
type Record struct {
	Verdict harness.Verdict `json:"verdict,omitempty"`
	*harness.History
}

// Folder is a report on disk.
type Folder struct {
	Path     string
	file     *os.File
	buffered *bufio.Writer
	encoder  *json.Encoder
}

// Create makes a folder that must not exist yet, and begins the evidence.
func Create(path string, h Header) (*Folder, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("the report folder cannot be made: %w", err)
	}
	if err := os.Mkdir(path, 0o755); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %s exists already; give --out another folder", ErrExists, path)
	} else if err != nil {
		return nil, fmt.Errorf("the report folder cannot be made: %w", err)
	}
	file, err := os.Create(filepath.Join(path, EvidenceFile))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the evidence cannot be written: %w", err), os.Remove(path))
	}
	f := &Folder{Path: path, file: file, buffered: bufio.NewWriterSize(file, 1<<16)}
	f.encoder = json.NewEncoder(f.buffered)
	f.encoder.SetEscapeHTML(false)
	h.Format = Format
	if err := f.encoder.Encode(h); err != nil {
		return nil, errors.Join(fmt.Errorf("the evidence cannot be written: %w", err), f.Abort())
	}
	return f, nil
}

// Keep appends the record of a cell. It is the Keep of a harness.Config.
func (f *Folder) Keep(h *harness.History, v harness.Verdict) error {
	return f.encoder.Encode(Record{Verdict: v, History: h})
}

// Abort removes the folder: for a run that never took place.
func (f *Folder) Abort() error {
	return errors.Join(f.file.Close(), os.RemoveAll(f.Path))
}

// Finish ends the evidence and writes the report in all its forms.
func (f *Folder) Finish(r *harness.Report) error {
	if err := errors.Join(f.buffered.Flush(), f.file.Close()); err != nil {
		return fmt.Errorf("the evidence cannot be written: %w", err)
	}
	d, err := NewDocument(f.Path, r)
	if err != nil {
		return err
	}
	return d.WriteAll()
}

// Open reads a stored report.
func Open(path string) (*Document, Header, error) {
	var h Header
	data, err := os.ReadFile(filepath.Join(path, JSONFile))
	if err != nil {
		return nil, h, fmt.Errorf("%w: %s holds no %s", ErrNoReport, path, JSONFile)
	}
	var stored struct{ harness.Report }
	if err := json.Unmarshal(data, &stored); err != nil || stored.Schema != harness.Schema {
		return nil, h, fmt.Errorf("%w: %s is no report of the schema %s", ErrNoReport, filepath.Join(path, JSONFile), harness.Schema)
	}
	if h, err = Each(path, func(Record) error { return errStop }); err != nil {
		return nil, h, err
	}
	d, err := NewDocument(path, &stored.Report)
	return d, h, err
}

var errStop = errors.New("stop")

// Each calls a function with every record of a folder's evidence, one at a time.
func Each(path string, visit func(Record) error) (h Header, err error) {
	file, err := os.Open(filepath.Join(path, EvidenceFile))
	if err != nil {
		return h, fmt.Errorf("%w: %s holds no %s", ErrNoReport, path, EvidenceFile)
	}
	defer func() { _ = file.Close() }() // it was only read
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<16))
	if err := decoder.Decode(&h); err != nil || h.Format != Format {
		return h, fmt.Errorf("%w: %s is not evidence of the format %s", ErrNoReport, file.Name(), Format)
	}
	for decoder.More() {
		var r Record
		if err := decoder.Decode(&r); err != nil {
			return h, fmt.Errorf("the evidence in %s is damaged: %w", file.Name(), err)
		}
		if err := visit(r); errors.Is(err, errStop) {
			return h, nil
		} else if err != nil {
			return h, err
		}
	}
	return h, nil
}

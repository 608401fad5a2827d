// Package reports keeps the evidence of a run on disk and renders it for people and for machines.
//
// A [Folder] is written while a run goes on: evidence.jsonl receives the record of each cell as it is judged, so memory
// stays flat and a run that is broken off, however that happens, loses no cell that was finished. At the end report.json,
// report.txt and report.html are written beside it; until then a file named INCOMPLETE says that they are not. All of them are rendered from the report and the stored evidence alone, so they can be rendered again, and the
// evidence can be judged again, without the target.
package reports

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

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
	// MarkFile is there until the report is whole.
	MarkFile = "INCOMPLETE"
)

// Errors of this package.
var (
	ErrExists   = errors.New("a report is never overwritten")
	ErrNoReport = errors.New("no report here")
	// ErrTruncated means that the last record of the evidence was not written to its end.
	ErrTruncated = errors.New("the last record is cut short")
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
	made     []string // the folders above it that were not there before, the outermost first
	file     *os.File
	buffered *bufio.Writer
	encoder  *json.Encoder
}

// Create makes a folder that must not exist yet, and begins the evidence.
func Create(path string, h Header) (*Folder, error) {
	f := &Folder{Path: path, made: missing(filepath.Dir(path))}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, errors.Join(fmt.Errorf("the report folder cannot be made: %w", err), f.removeMade())
	}
	if err := os.Mkdir(path, 0o755); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %s exists already; give --out another folder", ErrExists, path)
	} else if err != nil {
		return nil, errors.Join(fmt.Errorf("the report folder cannot be made: %w", err), f.removeMade())
	}
	file, err := os.Create(filepath.Join(path, EvidenceFile))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the evidence cannot be written: %w", err), os.Remove(path), f.removeMade())
	}
	f.file, f.buffered = file, bufio.NewWriterSize(file, 1<<16)
	f.encoder = json.NewEncoder(f.buffered)
	f.encoder.SetEscapeHTML(false)
	h.Format = Format
	const mark = "The run is not over, or was broken off. partywall judge reads what there is of its evidence.\n"
	err = errors.Join(os.WriteFile(filepath.Join(path, MarkFile), []byte(mark), 0o644), f.write(h))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the evidence cannot be written: %w", err), f.Abort())
	}
	return f, nil
}

// Keep appends the record of a cell. It is the Keep of a harness.Config.
func (f *Folder) Keep(h *harness.History, v harness.Verdict) error {
	return f.write(Record{Verdict: v, History: h})
}

// write appends a line that no end of the process takes back.
func (f *Folder) write(line any) error {
	if err := f.encoder.Encode(line); err != nil {
		return err
	}
	return f.buffered.Flush()
}

// Abort removes the folder, and those above it that were made for it: for a run that never took place.
func (f *Folder) Abort() error {
	return errors.Join(f.file.Close(), os.RemoveAll(f.Path), f.removeMade())
}

// missing lists the folder and those above it that do not exist, the outermost first.
func missing(folder string) (out []string) {
	for {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
			return out
		}
		out = append([]string{folder}, out...)
		folder = filepath.Dir(folder)
	}
}

// removeMade removes the folders above, except where another run has put something into one meanwhile.
func (f *Folder) removeMade() error {
	for _, folder := range slices.Backward(f.made) {
		if err := os.Remove(folder); errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return fmt.Errorf("remove the report folder again: %w", err)
		}
	}
	return nil
}

// Finish ends the evidence and writes the report in all its forms. The document can be rendered even where it could not be
// written.
func (f *Folder) Finish(r *harness.Report) (*Document, error) {
	kept := errors.Join(f.buffered.Flush(), f.file.Close())
	if kept != nil {
		kept = fmt.Errorf("the evidence is not whole: %w", kept)
	}
	d, err := NewDocument(f.Path, r)
	if err != nil {
		return d, errors.Join(kept, err)
	}
	if err := errors.Join(kept, d.WriteAll()); err != nil {
		return d, err
	}
	return d, os.Remove(filepath.Join(f.Path, MarkFile))
}

// Open reads a stored report.
func Open(path string) (*Document, Header, error) {
	var h Header
	data, err := os.ReadFile(filepath.Join(path, JSONFile))
	if err != nil {
		hint := ""
		if _, err := os.Stat(filepath.Join(path, EvidenceFile)); err == nil {
			hint = ", for its run was broken off; partywall judge reads its evidence"
		}
		return nil, h, fmt.Errorf("%w: %s holds no %s%s", ErrNoReport, path, JSONFile, hint)
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

// Each calls a function with every record of a folder's evidence, one at a time. The error wraps ErrTruncated where the run
// was broken off within the last one.
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
		if err := decoder.Decode(&r); errors.Is(err, io.ErrUnexpectedEOF) {
			return h, fmt.Errorf("%s: %w", file.Name(), ErrTruncated)
		} else if err != nil {
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

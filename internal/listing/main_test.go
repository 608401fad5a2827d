package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDrift: every list in the project is what go generate would write now.
func TestDrift(t *testing.T) {
	directive := regexp.MustCompile(`(?m)^//go:generate go run \S*internal/listing (.*)$`)
	lists := 0
	for _, folder := range []string{"../../scenarios", "../../reference/faults"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := directive.FindSubmatch(source)
			if found == nil {
				continue
			}
			lists++
			flags := flag.NewFlagSet("listing", flag.ContinueOnError)
			typ, imports := flags.String("type", "", ""), flags.String("import", "", "")
			if err := flags.Parse(strings.Fields(string(found[1]))); err != nil {
				t.Fatal(err)
			}
			want, err := list(folder, *typ, *imports)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(folder, listFile))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s has drifted: run go generate ./...", filepath.Join(folder, listFile))
			}
		}
	}
	if lists != 2 {
		t.Errorf("%d lists are generated, want those of the scenarios and of the faults", lists)
	}
}

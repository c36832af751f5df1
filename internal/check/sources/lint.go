package sources

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/linter"

	"platform/internal/check"
	"platform/internal/render"
)

// Lint is the rule that programs have no mistake that can be seen without
// running them: what can't be parsed, imports that lead nowhere, variables that
// nobody uses, fields that can't be there.
var Lint = check.Rule{
	Name: "lint", Title: "jsonnet without mistakes that can be seen",
	Why:      "Jsonnet evaluates only what is asked for: a mistake may sleep until another cluster asks.",
	NoRender: true,
	Find: func(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
		importer, err := render.NewImporter(r.Config.Root, r.Config.JPath)
		if err != nil {
			return nil, err
		}
		memo, err := render.NewMemo(r.Render, "lint 1")
		if err != nil {
			return nil, err
		}
		// A machine keeps what it has parsed, and works for one at a time.
		machines := sync.Pool{New: func() any {
			vm := jsonnet.MakeVM()
			vm.Importer(importer)
			return vm
		}}
		return eachSource(ctx, r, func(source, text string) []check.Finding {
			said, ok := memo.Get(source)
			if !ok {
				vm := machines.Get().(*jsonnet.VM)
				defer machines.Put(vm)
				said = lint(vm, r.Config.Root, source, text)
				memo.Put(source, said)
			}
			return linted(source, string(said))
		})
	},
}

// lint gives what the linter says of a file, with paths in the repository.
func lint(vm *jsonnet.VM, root, source, text string) []byte {
	var out bytes.Buffer
	// The name must be the path: imports are looked for next to it.
	linter.LintSnippet(vm, &out, []linter.Snippet{{FileName: filepath.Join(root, source), Code: text}})
	return bytes.ReplaceAll(out.Bytes(), []byte(root+string(filepath.Separator)), nil)
}

// said matches the head of what the linter says: FILE:LINE:COLUMN-… message, or
// FILE:(LINE:COLUMN)-… message.
var said = regexp.MustCompile(`^(\S+?):\(?(\d+):(\d+)[-0-9:()]*\s+(.+)$`)

// linted reads what the linter says: a head, the lines in question, a blank
// line. A file that imports a broken one is not to blame.
func linted(source, text string) []check.Finding {
	var out []check.Finding
	for _, line := range strings.Split(text, "\n") {
		found := said.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		if found[1] != source {
			continue
		}
		n, _ := strconv.Atoi(found[2]) // digits
		column, _ := strconv.Atoi(found[3])
		finding := check.InFile(source, n).Saying(strings.ToLower(found[4][:1])+found[4][1:], "")
		finding.Column = column
		out = append(out, finding)
	}
	return out
}

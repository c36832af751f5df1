package sources

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

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
		return eachSource(ctx, r, func(source, text string) []check.Finding {
			vm := jsonnet.MakeVM()
			vm.Importer(importer)
			var said bytes.Buffer
			// The name must be the path: imports are looked for next to it.
			name := filepath.Join(r.Config.Root, source)
			linter.LintSnippet(vm, &said, []linter.Snippet{{FileName: name, Code: text}})
			return linted(r.Config.Root, source, strings.ReplaceAll(said.String(), r.Config.Root+string(filepath.Separator), ""))
		})
	},
}

// said matches the head of what the linter says: FILE:LINE:COLUMN-… message, or
// FILE:(LINE:COLUMN)-… message.
var said = regexp.MustCompile(`^(\S+?):\(?(\d+):(\d+)[-0-9:()]*\s+(.+)$`)

// linted reads what the linter says: a head, the lines in question, a blank
// line. A file that imports a broken one is not to blame.
func linted(root, source, text string) []check.Finding {
	var out []check.Finding
	for _, line := range strings.Split(text, "\n") {
		found := said.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		file := found[1]
		if rel, err := filepath.Rel(root, file); err == nil && filepath.IsAbs(file) {
			file = rel
		}
		if file != source {
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

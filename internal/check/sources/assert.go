package sources

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

// Assert is the rule that every file of a cluster can be evaluated: its own
// asserts hold, what it must be given is there, its values are Kubernetes
// objects.
var Assert = check.Rule{
	Name: "assert", Title: "every file renders and its asserts hold",
	Why: "A cluster whose files can't be rendered can't be deployed at all.",
	Find: func(_ context.Context, r *check.Repository) ([]check.Finding, error) {
		var out []check.Finding
		for _, failure := range r.Failures {
			f := failed(failure)
			f.Clusters = []string{failure.Cluster}
			out = append(out, f)
		}
		return out, nil
	},
}

// errorHead matches the place that a rendering error begins with.
var errorHead = regexp.MustCompile(`^(\S+?):\(?(\d+):(\d+)[-0-9:()]*:?\s+(.*)$`)

func failed(failure check.Failure) check.Finding {
	if missing := new(render.NoClusterError); errors.As(failure.Err, &missing) {
		return check.InFile(config.FileName, 1).Saying(missing.Error(), "Add the cluster's folder, or take the cluster out of platform.yaml.")
	}
	broken := new(render.Error)
	if !errors.As(failure.Err, &broken) {
		return check.InFile(config.FileName, 1).Saying(failure.Err.Error(), "")
	}
	head, stack, _ := strings.Cut(broken.Message, "\n")
	found := errorHead.FindStringSubmatch(head)
	if found == nil {
		f := check.InSource(broken.Source, broken.Key, broken.Path)
		message := strings.TrimPrefix(head, broken.Source+": ")
		if broken.Key != "" {
			f.Object = broken.Key
			message = strings.TrimPrefix(message, broken.Key+": ")
		}
		return f.Saying(strings.TrimPrefix(message, broken.Path+" "), "")
	}
	line, _ := strconv.Atoi(found[2]) // digits
	column, _ := strconv.Atoi(found[3])
	if message, blameless := blameless(found[1], found[4], line); blameless && found[1] != broken.Source {
		// What the library asserts is broken by whoever uses it.
		if at := firstFrame(stack, broken.Source); at > 0 {
			return check.InFile(broken.Source, at).Saying(message, "")
		}
		if key := failedKey(stack); key != "" {
			return check.InSource(broken.Source, key, "").Saying(message, "")
		}
	}
	message := found[4]
	if found[1] != broken.Source {
		message += ", which " + broken.Source + " needs"
	}
	f := check.InFile(found[1], line).Saying(message, "")
	f.Column = column
	return f
}

// blameless reports whether a file only says what others do wrong: the library,
// and jsonnet's own.
func blameless(file, message string, line int) (string, bool) {
	switch {
	case strings.HasPrefix(file, "lib/"):
		return fmt.Sprintf("%s (says %s:%d)", message, file, line), true
	case strings.HasPrefix(file, "<"):
		return message, true
	}
	return message, false
}

var frame = regexp.MustCompile(`(?m)^\s+(\S+?):\(?(\d+):`)

// firstFrame is the line of a file that the stack, innermost first, names first;
// 0 if it doesn't.
func firstFrame(stack, file string) int {
	for _, found := range frame.FindAllStringSubmatch(stack, -1) {
		if found[1] == file {
			line, _ := strconv.Atoi(found[2]) // digits
			return line
		}
	}
	return 0
}

var failedField = regexp.MustCompile(`(?m)^\s*Field "([^"]+)"\s*$`)

// failedKey is the key of the file's value that couldn't be evaluated, by the
// stack that jsonnet prints, innermost first; empty if it doesn't tell.
func failedKey(stack string) string {
	var keys []string
	for _, found := range failedField.FindAllStringSubmatch(stack, -1) {
		keys = append(keys, found[1])
	}
	slices.Reverse(keys)
	return strings.Join(keys, ".")
}

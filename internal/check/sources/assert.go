package sources

import (
	"context"
	"errors"
	"regexp"
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
	head, _, _ := strings.Cut(failure.Err.Error(), "\n")
	source := ""
	if broken := new(render.Error); errors.As(failure.Err, &broken) {
		source = broken.Source
	}
	found := errorHead.FindStringSubmatch(head)
	if found == nil {
		return check.InFile(source, 1).Saying(strings.TrimPrefix(head, source+": "), "")
	}
	line, _ := strconv.Atoi(found[2]) // digits
	column, _ := strconv.Atoi(found[3])
	message := found[4]
	if found[1] != source {
		message += ", which " + source + " needs"
	}
	f := check.InFile(found[1], line).Saying(message, "")
	f.Column = column
	return f
}

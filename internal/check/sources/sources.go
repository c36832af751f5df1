package sources

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"platform/internal/check"
)

// eachSource looks at every source file, several at once.
func eachSource(ctx context.Context, r *check.Repository, look func(source, text string) []check.Finding) ([]check.Finding, error) {
	found := make([][]check.Finding, len(r.Sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, source := range r.Sources {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			text, err := os.ReadFile(filepath.Join(r.Config.Root, source))
			if err != nil {
				return err
			}
			found[i] = look(source, string(text))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

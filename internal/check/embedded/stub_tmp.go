package embedded

import (
	"context"

	"platform/internal/check"
)

func findFluentd(ctx context.Context, r *check.Repository) ([]check.Finding, error) { return nil, nil }
func findNginx(ctx context.Context, r *check.Repository) ([]check.Finding, error)   { return nil, nil }
func findJenkins(ctx context.Context, r *check.Repository) ([]check.Finding, error) { return nil, nil }

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"platform": func() { os.Exit(run(context.Background(), os.Args[1:])) },
	})
}

// TestScripts runs whole command lines through the real main, without a
// network: each file of testdata/script is a repository and what happens in it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// No real account, whatever the machine has.
			for _, pair := range [][2]string{
				{"HOME", env.WorkDir}, {"AWS_EC2_METADATA_DISABLED", "true"},
				{"AWS_CONFIG_FILE", filepath.Join(env.WorkDir, "none")}, {"AWS_SHARED_CREDENTIALS_FILE", filepath.Join(env.WorkDir, "none")},
			} {
				env.Setenv(pair[0], pair[1])
			}
			return nil
		},
	})
}

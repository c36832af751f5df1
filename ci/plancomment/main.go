package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "plancomment: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("plancomment", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: plancomment [flags] CLUSTER...\n\nWrites the comment to the standard output or, with -pull-request, below a pull\nrequest; FORGE_TOKEN is the token to do so.\n\n")
		flags.PrintDefaults()
	}
	reports := flags.String("reports", "reports", "folder with the plans that ci/plan has made")
	pull := flags.String("pull-request", "", "address of the pull request's page")
	commit := flags.String("commit", "", "the commit that was planned")
	build := flags.String("build", "", "address of the build that planned it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("which clusters were planned? Name them in the order in which changes reach them")
	}
	results := make([]result, flags.NArg())
	for i, cluster := range flags.Args() {
		var err error
		if results[i], err = read(*reports, cluster); err != nil {
			return err
		}
	}
	body := comment(results, *commit, *build, maxBody)
	if *pull == "" {
		_, err := io.WriteString(out, body)
		return err
	}
	target, err := parsePull(*pull)
	if err != nil {
		return err
	}
	token := getenv("FORGE_TOKEN")
	if token == "" {
		return fmt.Errorf("commenting on %s: FORGE_TOKEN isn't set; docs/pipeline.md says which token it takes", *pull)
	}
	forge := forge{client: &http.Client{Timeout: 30 * time.Second}, token: token}
	page, err := forge.upsert(ctx, target, body)
	if err != nil {
		return fmt.Errorf("commenting on %s: %w", *pull, err)
	}
	fmt.Fprintln(out, page)
	return nil
}

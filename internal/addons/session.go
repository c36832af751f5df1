package addons

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/rest"

	"platform/internal/plan"
)

// Session puts single files into a cluster, one after another, over one
// connection: the inner loop of somebody who edits and looks. Only the set of
// the file at hand is read, applied and pruned.
//
// A Session is for one goroutine, but for what its Observers do.
type Session struct {
	layer *Layer
	// config is what api was made from.
	config *rest.Config
	api    *api
}

// NewSession makes a session. Options.Files are left aside.
func NewSession(opts Options) *Session {
	opts.Files, opts.Alone = nil, true
	return &Session{layer: New(opts)}
}

// Trial is one file, compared with the cluster. What it shows is what it
// applies: if the cluster moved in between, conflicts and preconditions tell.
type Trial struct {
	session *Session
	found   *survey
}

// Compare finds out what applying a file would change. The session's earlier
// Trials end with it.
func (s *Session) Compare(ctx context.Context, file File) (*Trial, error) {
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	s.layer.opts.Files = []File{file}
	found, err := s.layer.survey(ctx, s.api)
	if err != nil {
		return nil, err
	}
	if err := found.refuseTakeovers(); err != nil {
		return nil, err
	}
	return &Trial{session: s, found: found}, nil
}

// connect makes or renews the connection. What the server serves is asked for
// each time, since definitions come and go.
func (s *Session) connect(ctx context.Context) error {
	config, err := s.layer.opts.Connect(ctx)
	if err != nil {
		return err
	}
	if s.api != nil && s.config == config {
		return s.api.discover(ctx)
	}
	if s.api, err = s.layer.connect(ctx); err != nil {
		return err
	}
	if s.api == nil {
		return ErrNoCluster
	}
	s.config = config
	return nil
}

// refuseTakeovers fails if a scratch file declares what is there already and
// isn't its own. When the file goes, so does all that it has: it must not be
// the end of what git or somebody else put there.
func (f *survey) refuseTakeovers() error {
	var errs []error
	for _, st := range f.steps {
		if !st.set.key.scratch() || st.live == nil || st.live.GetDeletionTimestamp() != nil || st.live.GetLabels()[labelMember] == st.set.id {
			continue
		}
		err := errors.New("it is there already, and isn't this file's: with the file it would go as well; give it another name, or edit the file that declares it")
		errs = append(errs, &ObjectError{Doing: "planning", Resource: st.String(), Source: st.file.Source, Err: err})
	}
	return join(errs)
}

// Changes are what applying would change, in the order in which it would.
func (t *Trial) Changes() []plan.Change { return t.found.changes() }

// Kept names what the file no longer has and what stays all the same, because
// it holds data.
func (t *Trial) Kept() []string {
	var out []string
	for _, m := range t.found.kept {
		out = append(out, fmt.Sprintf("%s (%s)", m, keptDetail))
	}
	return out
}

// Apply makes the changes and waits until the file's objects are ready. It
// returns what it did, also with an error.
func (t *Trial) Apply(ctx context.Context) ([]plan.Change, error) {
	return t.session.layer.carryOut(ctx, t.session.api, t.found)
}

// Health tells how the file's objects are doing now.
func (t *Trial) Health(ctx context.Context) ([]plan.Health, error) {
	return t.session.layer.verify(ctx, t.session.api)
}

package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"platform/internal/plan"
	"platform/test/apiserver"
)

func TestMain(m *testing.M) { apiserver.Main(m) }

// open gives a Store of a cluster without any records. What the tests share is
// the cluster: they don't run side by side.
func open(t *testing.T) *Store {
	t.Helper()
	s := another(t)
	for _, err := range []error{
		s.configMaps.Delete(t.Context(), historyName, metav1.DeleteOptions{}),
		s.configMaps.Delete(t.Context(), pauseName, metav1.DeleteOptions{}),
		s.leases.Delete(t.Context(), lockName, metav1.DeleteOptions{}),
	} {
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	return s
}

// another gives a second Store of the same cluster, as on another machine.
func another(t *testing.T) *Store {
	t.Helper()
	s, err := Open(apiserver.Shared(t).Config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Store) mustRead(t *testing.T) State {
	t.Helper()
	state, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func (s *Store) mustPut(t *testing.T, d Deployment) {
	t.Helper()
	if err := s.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestPause(t *testing.T) {
	s := open(t)
	if state := s.mustRead(t); state.Pause != nil || len(state.Deployments) != 0 {
		t.Fatalf("a cluster without records: %+v", state)
	}
	if was, err := s.Resume(t.Context()); was != nil || err != nil {
		t.Errorf("resuming what isn't paused: %v, %v", was, err)
	}
	since := time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	p := Pause{By: "Jane Doe (jane@laptop)", Since: since, Reason: "INC-42: the disks\nare full"}
	if already, err := s.Pause(t.Context(), p); already != nil || err != nil {
		t.Fatalf("pausing: %v, %v", already, err)
	}
	want := "by Jane Doe (jane@laptop) since 2026-11-03 09:30 UTC: INC-42: the disks are full"
	already, err := another(t).Pause(t.Context(), Pause{By: "John", Since: since.Add(time.Hour)})
	if err != nil || already == nil || already.String() != want {
		t.Errorf("pausing again: %v, %v", already, err)
	}
	if state := another(t).mustRead(t); state.Pause == nil || state.Pause.String() != want {
		t.Errorf("read %v, want %s", state.Pause, want)
	}
	if was, err := s.Resume(t.Context()); was == nil || was.String() != want || err != nil {
		t.Errorf("resuming: %v, %v", was, err)
	}
	if state := s.mustRead(t); state.Pause != nil {
		t.Errorf("after resuming: %v", state.Pause)
	}
}

// TestPauseByHand expects that a pause is a pause, whoever wrote it how.
func TestPauseByHand(t *testing.T) {
	s := open(t)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: pauseName, Labels: map[string]string{label: "pause"}}}
	if _, err := s.configMaps.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if state := s.mustRead(t); state.Pause == nil || state.Pause.String() != "by somebody" {
		t.Errorf("read %v", state.Pause)
	}
}

func deployment(n int, result Result) Deployment {
	start := time.Date(2026, 11, 3, 9, 0, n, 0, time.UTC)
	return Deployment{
		ID: NewID(start), Repository: "example", Commit: fmt.Sprintf("%040d", n), Started: start, Result: result,
		By: Author{Name: "Jane"}, Changes: map[plan.Op]int{plan.Update: n},
	}
}

func TestHistory(t *testing.T) {
	s := open(t)
	first := deployment(1, InProgress)
	s.mustPut(t, first)
	first.Result, first.Ended, first.Reason = Failed, first.Started.Add(time.Minute), "x\ny "+strings.Repeat("z", 1000)
	s.mustPut(t, first)
	second := deployment(2, Succeeded)
	another(t).mustPut(t, second)
	// s has seen the history before the second was written.
	third := deployment(3, Succeeded)
	third.Dirty = true
	s.mustPut(t, third)
	got := another(t).mustRead(t).Deployments
	if len(got) != 3 || got[0].ID != third.ID || got[1].ID != second.ID || got[2].ID != first.ID {
		t.Fatalf("read %+v", got)
	}
	if r := got[2].Reason; got[2].Result != Failed || !strings.HasPrefix(r, "x y z") || len([]rune(r)) != 300 {
		t.Errorf("the first: %+v", got[2])
	}
	if d := got[1]; d.Changes[plan.Update] != 2 || d.By.Name != "Jane" || !d.Started.Equal(second.Started) {
		t.Errorf("the second: %+v", d)
	}
	for _, c := range []struct {
		repository, except, want string
	}{
		{"example", "", second.ID}, {"example", third.Commit, second.ID}, {"example", second.Commit, ""}, {"other", "", ""},
	} {
		found := ""
		if d := LastGood(got, c.repository, c.except); d != nil {
			found = d.ID
		}
		if found != c.want {
			t.Errorf("the last good of %s but %q is %q, want %q", c.repository, c.except, found, c.want)
		}
	}
}

// TestReadIsOneRequest keeps what every status costs small.
func TestReadIsOneRequest(t *testing.T) {
	s := open(t)
	s.mustPut(t, deployment(1, Succeeded))
	requests := 0
	config := rest.CopyConfig(apiserver.Shared(t).Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			requests++
			return next.RoundTrip(r)
		})
	})
	counted, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	if state := counted.mustRead(t); len(state.Deployments) != 1 || requests != 1 {
		t.Errorf("%d requests for %+v", requests, state)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestManyWriters(t *testing.T) {
	open(t)
	var group sync.WaitGroup
	const writers = 5
	for i := range writers {
		s := another(t)
		group.Go(func() {
			if err := s.Put(t.Context(), deployment(i, Succeeded)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := another(t).mustRead(t).Deployments; len(got) != writers {
		t.Errorf("%d entries of %d writers", len(got), writers)
	}
}

func TestTrim(t *testing.T) {
	data := map[string]string{}
	put := func(d Deployment) {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		data[d.ID] = string(text)
	}
	good, other := deployment(0, Succeeded), deployment(1, Succeeded)
	other.Repository = "other"
	put(good)
	put(other)
	for i := range 8 {
		put(deployment(10+i, Failed))
	}
	data["20251103T000000Z-broken"] = "{"
	trim(data, 5)
	if len(data) != 5 || data[good.ID] == "" || data[other.ID] == "" {
		t.Errorf("left: %v", data)
	}
	for id := range data {
		if d := readDeployment(id, data[id]); d.Result == Failed && d.Started.Second() < 15 || d.Result == Unreadable {
			t.Errorf("kept %s instead of a newer one", id)
		}
	}
}

func TestUnreadableEntry(t *testing.T) {
	s := open(t)
	s.mustPut(t, deployment(1, Succeeded))
	patch := []byte(`{"data":{"20251103T000000Z-broken":"{"}}`)
	if _, err := s.configMaps.Patch(t.Context(), historyName, "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	got := s.mustRead(t).Deployments
	if len(got) != 2 || got[1].Result != Unreadable || !strings.Contains(got[1].Reason, "kube-system/platform-history") {
		t.Errorf("%+v", got)
	}
	s.mustPut(t, deployment(2, Succeeded))
}

func quick(s *Store) *Store {
	s.pace = pace{renew: 100 * time.Millisecond, answer: time.Second, stale: time.Second, look: 50 * time.Millisecond}
	return s
}

func TestLock(t *testing.T) {
	s := quick(open(t))
	never := func(h Holder) { t.Errorf("waits for %v", h) }
	lock, err := s.Lock(t.Context(), "20261103T090000Z-aaaaaa", Author{Name: "Jane", Machine: "jane@laptop"}, never)
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	_, err = quick(another(t)).Lock(t.Context(), "20261103T090100Z-bbbbbb", Author{Name: "John"}, func(Holder) { waits++ })
	var held *HeldError
	if !errors.As(err, &held) || held.By != "Jane (jane@laptop)" || held.ID != "20261103T090000Z-aaaaaa" || time.Since(held.Since) > time.Minute || waits != 1 {
		t.Errorf("a second lock: %v after %d waits", err, waits)
	}
	lease, err := s.leases.Get(t.Context(), lockName, metav1.GetOptions{})
	if err != nil || *lease.Spec.HolderIdentity != "jane@laptop/20261103T090000Z-aaaaaa" {
		t.Errorf("the Lease: %+v, %v", lease, err)
	}
	lock.Release()
	if lock.Context().Err() == nil {
		t.Error("the context of a released lock goes on")
	}
	again, err := quick(another(t)).Lock(t.Context(), "20261103T090200Z-cccccc", Author{Name: "John"}, never)
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}

// TestDeadHolder expects that a lock is taken over once nobody renews it, and
// what became of its deployment.
func TestDeadHolder(t *testing.T) {
	s := quick(open(t))
	dead := deployment(1, InProgress)
	s.mustPut(t, dead)
	lock, err := s.Lock(t.Context(), dead.ID, Author{Name: "Jane"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := another(t).mustRead(t).Deployments[0]; d.Result != InProgress {
		t.Errorf("while it is under way it is %q", d.Result)
	}
	close(lock.stop) // killed
	lock.group.Wait()
	if d := another(t).mustRead(t).Deployments[0]; d.Result != InProgress {
		t.Errorf("a moment after it was killed it is %q", d.Result)
	}
	start := time.Now()
	next := deployment(2, InProgress)
	heir := quick(another(t))
	taken, err := heir.Lock(t.Context(), next.ID, Author{Name: "John"}, func(Holder) {})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Release()
	if took := time.Since(start); took < time.Second || took > 10*time.Second {
		t.Errorf("taken over after %s", took)
	}
	if d := another(t).mustRead(t).Deployments[0]; d.Result != Interrupted {
		t.Errorf("once another holds the lock it is %q", d.Result)
	}
	heir.mustPut(t, next)
	// Now the history says so itself.
	object, err := s.configMaps.Get(t.Context(), historyName, metav1.GetOptions{})
	if err != nil || readDeployment(dead.ID, object.Data[dead.ID]).Result != Interrupted {
		t.Errorf("%v, %v", object.Data, err)
	}
}

// TestLostLock expects that a deployment ends whose lock another has taken.
func TestLostLock(t *testing.T) {
	s := quick(open(t))
	lock, err := s.Lock(t.Context(), "20261103T090000Z-aaaaaa", Author{Name: "Jane"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	for {
		lease, err := s.leases.Get(t.Context(), lockName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.leases.Update(t.Context(), claim(lease, "20261103T090100Z-bbbbbb", Author{Name: "John", Machine: "john@desk"}, s.pace), metav1.UpdateOptions{})
		if err == nil {
			break
		}
		if !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
	select {
	case <-lock.Context().Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the deployment goes on without its lock")
	}
	var lost *LostError
	if cause := context.Cause(lock.Context()); !errors.As(cause, &lost) || lost.By != "John (john@desk)" {
		t.Errorf("cause %v", cause)
	}
}

// TestLabelledLock expects that somebody else's label on the Lease costs nobody
// the lock.
func TestLabelledLock(t *testing.T) {
	s := quick(open(t))
	lock, err := s.Lock(t.Context(), "20261103T090000Z-aaaaaa", Author{Name: "Jane"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var labelled *coordinationv1.Lease
	if labelled, err = s.leases.Patch(t.Context(), lockName, "application/merge-patch+json", []byte(`{"metadata":{"labels":{"team":"x"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		lease, err := s.leases.Get(t.Context(), lockName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if lease.Spec.RenewTime.After(labelled.Spec.RenewTime.Time) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lock isn't renewed any more")
		}
	}
	if err := lock.Context().Err(); err != nil {
		t.Error(err)
	}
}

func TestWaitingForTheLockEnds(t *testing.T) {
	s := quick(open(t))
	lock, err := s.Lock(t.Context(), "20261103T090000Z-aaaaaa", Author{Name: "Jane"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	close(lock.stop)
	lock.group.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = quick(another(t)).Lock(ctx, "20261103T090100Z-bbbbbb", Author{Name: "John"}, func(Holder) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestWhoami(t *testing.T) {
	for name, c := range map[string]struct {
		env       map[string]string
		git       string
		want, job string
	}{
		"a person":       {nil, "Jane Doe", "Jane Doe", ""},
		"nobody":         {nil, "", machine(), ""},
		"Jenkins":        {map[string]string{"BUILD_USER": "Jane", "BUILD_URL": "https://u:secret@ci.example.net/job/up/7/?token=secret"}, "jenkins", "Jane", "https://ci.example.net/job/up/7/"},
		"GitHub Actions": {map[string]string{"GITHUB_ACTOR": "jane", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/platform", "GITHUB_RUN_ID": "5"}, "", "jane", "https://github.com/example/platform/actions/runs/5"},
		"GitLab":         {map[string]string{"GITLAB_USER_LOGIN": "jane", "CI_JOB_URL": "https://gitlab.example.net/p/-/jobs/3"}, "", "jane", "https://gitlab.example.net/p/-/jobs/3"},
	} {
		a := Whoami(func(name string) string { return c.env[name] }, c.git)
		if a.Name != c.want || a.Job != c.job || a.Machine == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

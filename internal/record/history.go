package record

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"platform/internal/plan"
)

// Result is how a deployment ended.
type Result string

// The results. Interrupted is also what became of a deployment that was killed
// before it could say so; Unreadable, that its record isn't one of ours.
const (
	InProgress  Result = "in progress"
	Succeeded   Result = "succeeded"
	Failed      Result = "failed"
	Interrupted Result = "interrupted"
	Unreadable  Result = "unreadable"
)

// Deployment is one deployment to the cluster.
type Deployment struct {
	// ID sorts by the time of the start.
	ID string `json:"id"`
	// Repository is where it was deployed from, as platform.yaml names it.
	Repository string `json:"repository"`
	// Commit is empty if it wasn't deployed from a git checkout.
	Commit string `json:"commit,omitempty"`
	// Subject is the first line of the commit's message.
	Subject string `json:"subject,omitempty"`
	Branch  string `json:"branch,omitempty"`
	// Dirty says that there were changes which weren't committed.
	Dirty bool `json:"dirty,omitempty"`
	// From is what was asked for by name, if the commit wasn't the one that was
	// checked out.
	From string `json:"from,omitempty"`
	By   Author `json:"by"`
	// Tool is the version of the tool.
	Tool    string    `json:"tool,omitempty"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Seconds float64   `json:"seconds,omitempty"`
	Result  Result    `json:"result"`
	// Reason says why it failed.
	Reason string `json:"reason,omitempty"`
	// Changes counts what it did, by operation.
	Changes map[plan.Op]int `json:"changes,omitempty"`
	// WhilePaused says that it went ahead although deployments were paused.
	WhilePaused bool `json:"whilePaused,omitempty"`
}

// NewID makes the ID of a deployment that starts now.
func NewID(now time.Time) string {
	random := make([]byte, 3)
	rand.Read(random) // it never fails
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(random)
}

// LastGood is the newest deployment that succeeded with exactly what a commit
// of a repository says, other than the given commit; nil if there is none.
func LastGood(deployments []Deployment, repository, except string) *Deployment {
	for i := range deployments {
		d := &deployments[i]
		if d.Repository == repository && d.Result == Succeeded && d.Commit != "" && !d.Dirty && d.Commit != except {
			return d
		}
	}
	return nil
}

// Newest is the newest deployment from a repository; nil if there is none.
func Newest(deployments []Deployment, repository string) *Deployment {
	for i := range deployments {
		if deployments[i].Repository == repository {
			return &deployments[i]
		}
	}
	return nil
}

// kept is how many deployments the history holds: half a kilobyte each, of the
// megabyte that an object may have.
const kept = 100

// Put adds a deployment to the history, or replaces what it says about that
// deployment. Others that haven't ended are over: whoever deploys holds the
// lock.
func (s *Store) Put(ctx context.Context, d Deployment) error {
	d.Subject, d.Branch, d.From = clean(d.Subject, 100), clean(d.Branch, 100), clean(d.From, 100)
	d.Reason, d.Tool = clean(d.Reason, 300), clean(d.Tool, 50)
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	for tries := 0; ; tries++ {
		err := s.put(ctx, d, string(data))
		moved := apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
		if err == nil {
			return nil
		}
		// What was read before is no longer there.
		s.history = nil
		if !moved || tries == 10 {
			return s.failed("writing the history of deployments", err)
		}
	}
}

func (s *Store) put(ctx context.Context, d Deployment, data string) error {
	if s.history == nil {
		there, err := s.configMaps.Get(ctx, historyName, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			s.history = there
		}
	}
	if s.history == nil {
		fresh := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: historyName, Labels: map[string]string{label: "history"}},
			Data:       map[string]string{d.ID: data},
		}
		made, err := s.configMaps.Create(ctx, fresh, metav1.CreateOptions{FieldManager: manager})
		if err == nil {
			s.history = made
		}
		return err
	}
	next := s.history.DeepCopy()
	if next.Data == nil {
		next.Data = map[string]string{}
	}
	next.Data[d.ID] = data
	closeOthers(next.Data, d.ID)
	trim(next.Data, kept)
	// The version that was read goes with it: if somebody has written
	// meanwhile, this is refused.
	updated, err := s.configMaps.Update(ctx, next, metav1.UpdateOptions{FieldManager: manager})
	if err == nil {
		s.history = updated
	}
	return err
}

// closeOthers marks the deployments that never said how they ended.
func closeOthers(data map[string]string, id string) {
	for key, text := range data {
		if key == id || !strings.Contains(text, string(InProgress)) {
			continue
		}
		d := readDeployment(key, text)
		if d.Result != InProgress {
			continue
		}
		d.Result = Interrupted
		if changed, err := json.Marshal(d); err == nil {
			data[key] = string(changed)
		}
	}
}

// trim drops the oldest deployments. The newest of each repository that can be
// gone back to stays, however many have failed since.
func trim(data map[string]string, limit int) {
	if len(data) <= limit {
		return
	}
	ids := slices.Sorted(maps.Keys(data))
	good := map[string]bool{}
	seen := map[string]bool{}
	for _, id := range slices.Backward(ids) {
		d := readDeployment(id, data[id])
		if !seen[d.Repository] && LastGood([]Deployment{d}, d.Repository, "") != nil {
			seen[d.Repository], good[id] = true, true
		}
	}
	for _, id := range ids {
		if len(data) <= limit {
			return
		}
		if !good[id] {
			delete(data, id)
		}
	}
}

// readHistory gives the deployments, the newest first.
func readHistory(object *corev1.ConfigMap) []Deployment {
	ids := slices.Sorted(maps.Keys(object.Data))
	slices.Reverse(ids)
	out := make([]Deployment, len(ids))
	for i, id := range ids {
		out[i] = readDeployment(id, object.Data[id])
	}
	return out
}

// readDeployment takes a record that isn't one of ours for what it is: it mustn't
// keep anybody from deploying.
func readDeployment(id, text string) Deployment {
	var d Deployment
	if err := json.Unmarshal([]byte(text), &d); err != nil || d.ID != id {
		return Deployment{ID: id, Result: Unreadable, Reason: "the entry of ConfigMap " + namespace + "/" + historyName + " can't be read; delete it there"}
	}
	return d
}

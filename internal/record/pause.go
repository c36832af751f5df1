package record

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pause says that nobody is to deploy to the cluster.
type Pause struct {
	// By is who paused it.
	By string `json:"by"`
	// Since is zero if it can't be told.
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// String is the sentence's end behind «is paused»: by whom, since when, why.
func (p Pause) String() string {
	text := "by " + p.By
	if !p.Since.IsZero() {
		text += " since " + Time(p.Since)
	}
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text
}

// PausedError means that deployments to a cluster are paused.
type PausedError struct{ Pause }

func (e *PausedError) Error() string {
	return "deployments to the cluster are paused " + e.Pause.String()
}

// Pause pauses deployments. If they are paused already, it changes nothing and
// returns that pause.
func (s *Store) Pause(ctx context.Context, p Pause) (*Pause, error) {
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: pauseName, Labels: map[string]string{label: "pause"}},
		Data:       map[string]string{"by": clean(p.By, 200), "since": p.Since.UTC().Format(time.RFC3339), "reason": clean(p.Reason, 500)},
	}
	for {
		_, err := s.configMaps.Create(ctx, object, metav1.CreateOptions{FieldManager: manager})
		if err == nil {
			return nil, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return nil, s.failed("recording the pause", err)
		}
		there, err := s.configMaps.Get(ctx, pauseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue // somebody has released it in between
		}
		if err != nil {
			return nil, s.failed("reading the pause", err)
		}
		already := readPause(there)
		return &already, nil
	}
}

// Resume releases deployments and returns the pause that was in force, if any
// was.
func (s *Store) Resume(ctx context.Context) (*Pause, error) {
	there, err := s.configMaps.Get(ctx, pauseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed("reading the pause", err)
	}
	err = s.configMaps.Delete(ctx, pauseName, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(there.UID))})
	switch {
	case apierrors.IsNotFound(err):
	case apierrors.IsConflict(err):
		return nil, fmt.Errorf("somebody has released the pause and paused again meanwhile; see who and why before you release that one")
	case err != nil:
		return nil, s.failed("releasing the pause", err)
	}
	was := readPause(there)
	return &was, nil
}

// readPause takes whatever it finds for a pause: that the object is there is
// what counts.
func readPause(object *corev1.ConfigMap) Pause {
	p := Pause{By: object.Data["by"], Reason: object.Data["reason"]}
	if p.By == "" {
		p.By = "somebody"
	}
	if since, err := time.Parse(time.RFC3339, object.Data["since"]); err == nil {
		p.Since = since
	}
	return p
}

package addons

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// FailingContainer is a container that doesn't run as it should, and why, by
// its own account. Pods of one object that fail alike are one.
type FailingContainer struct {
	// Resource is the declared object that the pod belongs to.
	Resource string `json:"resource"`
	// Pod is the first that was seen, Pods how many were.
	Pod       string `json:"pod"`
	Pods      int    `json:"pods"`
	Container string `json:"container"`
	Init      bool   `json:"init,omitempty"`
	Reason    string `json:"reason"`
	Message   string `json:"message,omitempty"`
	// ExitCode is that of the last time it ended, if it did.
	ExitCode *int32 `json:"exitCode,omitempty"`
	Restarts int32  `json:"restarts"`
	// Log are its last lines, where the API server can get at them.
	Log []string `json:"log,omitempty"`

	// restarted says that the process that crashed isn't the last.
	restarted bool
}

// String says it in one line.
func (c *FailingContainer) String() string {
	what := "container "
	if c.Init {
		what = "init container "
	}
	text := fmt.Sprintf("Pod %s: %s%s: %s", c.Pod, what, c.Container, c.Reason)
	if c.ExitCode != nil && !strings.Contains(c.Message, "exit code") {
		text += fmt.Sprintf(", exit code %d", *c.ExitCode)
	}
	if c.Restarts > 0 {
		text += fmt.Sprintf(", %d restarts", c.Restarts)
	}
	if c.Message != "" {
		text += ": " + c.Message
	}
	if c.Pods > 1 {
		text += fmt.Sprintf(" (and so for %d more)", c.Pods-1)
	}
	return text
}

// crashed reports whether there was a process, which may have said something.
func (c *FailingContainer) crashed() bool { return c.ExitCode != nil }

// failingContainers are those of a pod that don't run as they should. One that
// hasn't been started yet isn't among them, nor is one that has ended well.
func failingContainers(pod *corev1.Pod) []FailingContainer {
	var out []FailingContainer
	add := func(statuses []corev1.ContainerStatus, init bool) {
		for i := range statuses {
			if c, failing := failingContainer(&statuses[i]); failing {
				c.Pod, c.Pods, c.Init = pod.Namespace+"/"+pod.Name, 1, init
				out = append(out, c)
			}
		}
	}
	add(pod.Status.InitContainerStatuses, true)
	add(pod.Status.ContainerStatuses, false)
	return out
}

// startingUp are the reasons to wait that are no trouble.
var startingUp = []string{"", "ContainerCreating", "PodInitializing"}

func failingContainer(status *corev1.ContainerStatus) (c FailingContainer, failing bool) {
	c = FailingContainer{Container: status.Name, Restarts: status.RestartCount, restarted: status.State.Terminated == nil}
	ended := func(t *corev1.ContainerStateTerminated) {
		c.ExitCode = &t.ExitCode
		c.Message = firstOf(strings.TrimSpace(t.Message), c.Message)
		if t.Reason != "" && t.Reason != "Error" {
			c.Reason = t.Reason // OOMKilled, say
		}
	}
	last := status.LastTerminationState.Terminated
	switch state := status.State; {
	case state.Waiting != nil:
		if slices.Contains(startingUp, state.Waiting.Reason) {
			return c, false
		}
		c.Reason, c.Message = state.Waiting.Reason, strings.TrimSpace(state.Waiting.Message)
		if slices.Contains(pullFailures, c.Reason) {
			c.Message = strings.TrimSuffix(status.Image+": "+c.Message, ": ")
		} else if last != nil {
			ended(last)
		}
	case state.Terminated != nil:
		if state.Terminated.ExitCode == 0 {
			return c, false
		}
		c.Reason = "Error"
		ended(state.Terminated)
	default:
		// Between two crashes it runs.
		if status.Ready || status.RestartCount == 0 || last == nil || last.ExitCode == 0 {
			return c, false
		}
		c.Reason = "Error"
		ended(last)
	}
	return c, true
}

// alike is what containers have in common that fail for one and the same
// reason. A kubelet says of an image in turns that it can't be pulled and that
// it will try again.
func (c *FailingContainer) alike() string {
	reason := c.Reason
	switch {
	case slices.Contains(pullFailures, reason):
		reason = "pull"
	case c.crashed():
		reason = fmt.Sprintf("crash %d", *c.ExitCode)
	}
	return strings.Join([]string{c.Resource, c.Container, reason}, "\n")
}

// Bounds of what is read of a log. Getting one takes the node that it is on,
// and must not hold up the rest.
const (
	logLines   = 10
	logBytes   = 16 << 10
	logTimeout = 3 * time.Second
)

// readLog gives the last lines of a container that has crashed; none if they
// can't be had.
func (s *api) readLog(ctx context.Context, c *FailingContainer) []string {
	namespace, pod, _ := strings.Cut(c.Pod, "/")
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	data, err := s.discovery.Get().AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").
		Param("container", c.Container).
		Param("previous", fmt.Sprint(c.restarted)).
		Param("tailLines", fmt.Sprint(logLines)).
		Param("limitBytes", fmt.Sprint(logBytes)).
		MaxRetries(0).DoRaw(ctx)
	if err != nil {
		return nil
	}
	return lastLines(string(data))
}

// lastLines splits a log and takes out what would move a terminal's cursor.
func lastLines(text string) []string {
	clean := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r >= 0xa0) {
			return r
		}
		return -1
	}, text)
	clean = strings.TrimRight(clean, "\n")
	if clean == "" {
		return nil
	}
	lines := strings.Split(clean, "\n")
	return lines[max(0, len(lines)-logLines):]
}

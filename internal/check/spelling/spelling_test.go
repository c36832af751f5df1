package spelling

import "testing"

func TestClosest(t *testing.T) {
	candidates := []string{"selector", "replicas", "imagePullPolicy", "image", "ports", "name", "readinessProbe", "prometheus"}
	for name, want := range map[string]string{
		"replicaz": "replicas", "Replicas": "replicas", "relpicas": "replicas", "imgae": "image", "Image": "image",
		"prots": "ports", "nmae": "name", "readynessProbe": "readinessProbe", "imagepullpolicy": "imagePullPolicy",
		"prometeus": "prometheus", "promtheuss": "prometheus", "prometheus": "prometheus",
		"something": "", "zeppelin": "", "": "", "x": "",
	} {
		if got := Closest(name, candidates); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	// Of several that are as close, always the same.
	if got := Closest("ab", []string{"ac", "aa"}); got != "aa" {
		t.Errorf("got %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ab", "ba", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

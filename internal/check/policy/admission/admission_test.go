package admission

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/version"

	"platform/internal/render"
)

const root = "../../../.."

func TestRepository(t *testing.T) {
	clusters, err := render.RenderAll(t.Context(), render.Options{Root: root}, []string{"dev", "int", "web"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clusters {
		start := time.Now()
		a, errs := New(c, version.MajorMinor(1, 36))
		t.Log(time.Since(start))
		for _, err := range errs {
			t.Error(err)
		}
		start = time.Now()
		for _, f := range c.Files {
			for _, o := range f.Objects {
				for _, d := range a.Review(t.Context(), o) {
					t.Errorf("%s: %+v", o.GetName(), d)
				}
			}
		}
		t.Log(time.Since(start))
	}
}

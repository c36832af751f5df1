package render

import "testing"

func TestDeclarationEvaluatesNothingElse(t *testing.T) {
	root := repository(t, map[string]string{
		"clusters/dev/cluster.jsonnet": clusterFile,
		"clusters/dev/web.jsonnet":     "error 'not asked for'",
	})
	c, err := Declaration(t.Context(), Options{Root: root}, "dev")
	if err != nil || len(c.Declaration) == 0 || len(c.Files) != 1 || c.Files[0].Source != "clusters/dev/web.jsonnet" || c.Files[0].Objects != nil {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Declaration(t.Context(), Options{Root: root}, "int"); err == nil {
		t.Error("a cluster that isn't declared")
	}
}

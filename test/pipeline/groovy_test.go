package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGroovy compiles the Jenkinsfile and the jobs by the Groovy that Jenkins
// has. It takes Java and GROOVY_JAR, as `make groovy` runs it.
func TestGroovy(t *testing.T) {
	jar := os.Getenv("GROOVY_JAR")
	if jar == "" {
		t.Skip("GROOVY_JAR isn't set: `make groovy` runs this")
	}
	compileGroovy(t, jar, "Jenkinsfile", read(t, "Jenkinsfile"))
	for _, cluster := range []string{"dev", "int"} {
		compileGroovy(t, jar, "jobs of "+cluster, controller(t, cluster).Jobs[0].Script)
	}
}

// compileGroovy compiles a script, or fails the test with what the compiler says.
func compileGroovy(t *testing.T, jar, name, source string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "Script.groovy")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "java", "-cp", jar, "org.codehaus.groovy.tools.FileSystemCompiler", "-d", dir, file).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

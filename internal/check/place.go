package check

// Place gives the file and line of jsonnet that declare a field of the object
// at a key of a source file, an empty path the object itself. It is as good a
// guess as that of a finding, and never no answer: at worst it is the file's
// first line.
func Place(root string, jpath []string, source, key, path string) (file string, line int) {
	return newLocator(root, jpath).place(source, key, path)
}

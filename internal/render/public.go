package render

import "github.com/google/go-jsonnet"

// Importer finds imports as rendering does, for others that read jsonnet.
type Importer struct{ im *importer }

// NewImporter makes an importer for a repository and further import paths.
func NewImporter(root string, jpath []string) (*Importer, error) {
	im, err := newImporter(root, jpath)
	if err != nil {
		return nil, err
	}
	return &Importer{im: im}, nil
}

// Import implements jsonnet.Importer.
func (i *Importer) Import(importedFrom, importedPath string) (jsonnet.Contents, string, error) {
	return i.im.Import(importedFrom, importedPath)
}

// Relative gives the path in the repository of a file that was imported.
func (i *Importer) Relative(name string) string { return i.im.relative(name) }

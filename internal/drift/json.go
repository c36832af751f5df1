package drift

import (
	"encoding/json"
	"fmt"
	"io"
)

// Write writes a report as docs/drift-report.schema.json says.
func Write(w io.Writer, r *Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Read reads what Write wrote.
func Read(from io.Reader) (*Report, error) {
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	// Another version's report may not even decode.
	var version struct {
		SchemaVersion int    `json:"schemaVersion"`
		Tool          string `json:"tool"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("no drift report: %w", err)
	}
	if version.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("a drift report of schema version %d (written by tool version %q); this tool reads version %d", version.SchemaVersion, version.Tool, SchemaVersion)
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("no drift report: %w", err)
	}
	return r, nil
}

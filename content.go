// Package platform carries the declarations of this repository, for the tool to
// begin another organisation's repository with them.
package platform

import "embed"

// Content is lib/, addons/ and clusters/ as they are in this repository.
//
//go:embed lib addons clusters
var Content embed.FS

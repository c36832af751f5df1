// Package config reads the tool's own configuration: platform.yaml at the
// root of the repository, overridden by PLATFORM_* in the environment and by
// flags. What a cluster is made of isn't configuration; it is declared in
// clusters/.
package config

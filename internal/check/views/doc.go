// Package views writes what a check found: text for people, JSON for scripts,
// JUnit for Jenkins, SARIF for code hosts.
package views

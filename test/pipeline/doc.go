// Package pipeline tests the Jenkinsfile and the workflow of GitHub Actions: that
// their grammar is right, that they fit the Jenkins that addons/jenkins declares,
// that both run the same commands for the same events, and, behind the build tag
// e2e, that these commands do on the sandbox what docs/pipeline.md says.
package pipeline

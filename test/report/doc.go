// Package report looks at the drift report's page as people do, in a browser:
// on a desktop and on a phone, in light and dark, on paper. It is behind the
// build tag e2e, since it needs Chromium and Node.js; `make report-test` runs it,
// and `make screenshots` renews the pictures in docs/images.
package report

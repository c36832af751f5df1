// Command plancomment writes what a change would do to the clusters under its
// pull request: one comment, which the next run replaces.
//
// It reads what ci/plan has left in reports/ and speaks the API of GitHub,
// which Gitea and Forgejo have as well. Both pipelines run it.
package main

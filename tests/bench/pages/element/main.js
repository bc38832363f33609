// As in the README of this project's own package, with a bundler.
import "polar-signin/element/define";

// What the shell's chunk holds for every page. build.sh has esbuild import this everywhere: without it, what some pages share
// and others don't is cut into chunks of its own, and the first view waits for each of them. The shell itself is here so that
// the first view is one script: without HTTP/2 a second one waits for a connection of its own, or for its turn.
import "./age";
import "./api";
import "./format";
import "./icons";
import "./live";
import "./login";
import "./main";
import "./parts";
import "./router";
import "./station";
import "./text/station";
import "./theme";

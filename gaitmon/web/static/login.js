// The secret of a login link stands after #, which browsers do not send.  It leaves the address bar at
// once, before it could be copied, synchronised or shown, and goes to the server in a POST.
"use strict";
function signIn() {
  const code = window.location.hash.slice(1);
  if (!code) return;
  window.history.replaceState(null, "", "/login");
  document.getElementById("signing-in").textContent = "Signing in…";
  document.getElementById("code").value = code;
  document.getElementById("login").submit();
}
window.addEventListener("hashchange", signIn); // a link pasted while this page is open does not load it anew
signIn();

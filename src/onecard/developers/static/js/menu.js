// The list of everything stands beside the page where there is room. On a phone it would push the page far down: there it
// is folded, before anything is drawn. Without scripts it is open everywhere.
{
  const narrow = matchMedia("(max-width:56rem)"), list = document.querySelector(".dn details");
  const fit = () => { list.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
}

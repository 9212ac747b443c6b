// The scripts of the page are no modules: they are run here in a context of their own, as they stand.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const SCRIPTS = new URL("../../assets/js/", import.meta.url);

// The functions that a script defines, by name.
export function load(path) {
  const context = vm.createContext({});
  vm.runInContext(readFileSync(new URL(path, SCRIPTS), "utf8"), context, { filename: path });
  return context;
}

// Writes the licenses of what is in page/editor.js beside it, since they must go where it goes.
const fs = require("fs");
const home = "node_modules", names = fs.readdirSync(home).flatMap(name => name.startsWith("@") ? fs.readdirSync(`${home}/${name}`).map(each => `${name}/${each}`) : [name]);
const used = names.filter(name => !/^(esbuild|axe-core|@esbuild\/|\.)/.test(name) && fs.existsSync(`${home}/${name}/LICENSE`));
const texts = new Map();
for (const name of used) {
  const text = fs.readFileSync(`${home}/${name}/LICENSE`, "utf8").trim();
  texts.set(text, [...(texts.get(text) || []), name]);
}
fs.writeFileSync("../pixforge_studio/page/editor-licenses.txt", [...texts].map(([text, all]) => `${all.join(", ")}\n\n${text}\n`).join("\n\n"));

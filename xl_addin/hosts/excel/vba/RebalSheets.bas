Attribute VB_Name = "RebalSheets"
Option Explicit
Option Private Module

' Returns the named sheets of the calling cell's workbook side by side, below a row with each sheet's title above its
' first column. Sheets are found by code name, which is the same in every language.
Public Function RebalTables(ByVal codeNames As String) As Variant
    Dim book As Object
    Dim sheet As Object
    Dim wanted As Variant
    Dim found As Collection
    Dim rows As Long
    Dim columns As Long
    Dim position As Long
    Set book = RebalCaller()
    Set found = New Collection
    wanted = Split(codeNames, ",")
    For position = LBound(wanted) To UBound(wanted)
        For Each sheet In book.Worksheets
            If sheet.CodeName = wanted(position) Then
                found.Add sheet
                If RebalLastRow(sheet) > rows Then rows = RebalLastRow(sheet)
                columns = columns + RebalLastColumn(sheet)
            End If
        Next sheet
    Next position
    If found.Count = 0 Then
        RebalTables = RebalMissing()
        Exit Function
    End If
    Dim all() As Variant
    ReDim all(1 To rows + 1, 1 To columns)
    columns = 0
    For Each sheet In found
        RebalCopy all, sheet, columns
        columns = columns + RebalLastColumn(sheet)
    Next sheet
    RebalTables = all
End Function

' Returns what the calling sheet holds, so that one request can bring the prices of all its cells; nothing where it was
' told to another cell a moment ago.
Public Function RebalNear() As Variant
    Static told As String
    Static toldAt As Double
    Dim sheet As Object
    RebalNear = RebalMissing()
    On Error GoTo nothingTold
    If TypeName(Application.Caller) <> "Range" Then Exit Function
    Set sheet = Application.Caller.Worksheet
    If told = sheet.Parent.Name & "!" & sheet.Name And Abs(Timer - toldAt) < 5 Then Exit Function
    told = sheet.Parent.Name & "!" & sheet.Name
    toldAt = Timer
    If RebalLastRow(sheet) * RebalLastColumn(sheet) <= 100000 Then RebalNear = RebalCells(sheet)
nothingTold:
End Function

' Returns the values of a sheet's cells from A1 and, right of them, their formulas.
Public Function RebalCells(ByVal sheet As Object) As Variant
    Dim area As Object
    Dim values As Variant
    Dim formulas As Variant
    Dim row As Long
    Dim column As Long
    Dim columns As Long
    columns = RebalLastColumn(sheet)
    Dim all() As Variant
    ReDim all(1 To RebalLastRow(sheet), 1 To 2 * columns)
    ' One column and row more than is used, so that a single cell is an array too.
    Set area = sheet.Range(sheet.Cells(1, 1), sheet.Cells(RebalLastRow(sheet) + 1, columns + 1))
    values = area.Value
    formulas = area.Formula
    For row = 1 To RebalLastRow(sheet)
        For column = 1 To columns
            all(row, column) = values(row, column)
            all(row, columns + column) = formulas(row, column)
        Next column
    Next row
    RebalCells = all
End Function

' Returns what an optional argument holds that was not given.
Public Function RebalMissing(Optional nothingGiven As Variant) As Variant
    RebalMissing = nothingGiven
End Function

Private Function RebalCaller() As Object
    If TypeName(Application.Caller) = "Range" Then
        Set RebalCaller = Application.Caller.Worksheet.Parent
    Else
        Set RebalCaller = ThisWorkbook
    End If
End Function

Private Sub RebalCopy(ByRef all() As Variant, ByVal sheet As Object, ByVal before As Long)
    Dim cells As Variant
    Dim row As Long
    Dim column As Long
    all(1, before + 1) = sheet.Name
    ' One column and row more than is used, so that a single cell is an array too.
    cells = sheet.Range(sheet.Cells(1, 1), sheet.Cells(RebalLastRow(sheet) + 1, RebalLastColumn(sheet) + 1)).Value
    For row = 1 To RebalLastRow(sheet)
        For column = 1 To RebalLastColumn(sheet)
            all(row + 1, before + column) = cells(row, column)
        Next column
    Next row
End Sub

Private Function RebalLastRow(ByVal sheet As Object) As Long
    RebalLastRow = sheet.UsedRange.Row + sheet.UsedRange.Rows.Count - 1
    ' A format dragged to the end of the sheet holds no table.
    If RebalLastRow > 6000 Then RebalLastRow = 6000
End Function

Private Function RebalLastColumn(ByVal sheet As Object) As Long
    RebalLastColumn = sheet.UsedRange.Column + sheet.UsedRange.Columns.Count - 1
    If RebalLastColumn > 256 Then RebalLastColumn = 256
End Function

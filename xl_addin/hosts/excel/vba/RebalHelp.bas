Attribute VB_Name = "RebalHelp"
Option Explicit
Option Private Module

' Gives Excel's function wizard the help of every function, from the hidden sheet of functions: one row each, with the
' name, the category, the help and then the help of each argument. Returns how many rows there are.
Public Function RebalRegister(ByVal sheet As Object) As Long
    Dim row As Long
    row = 2
    Do While sheet.Cells(row, 1).Value <> ""
        RebalDescribe sheet, row
        row = row + 1
    Loop
    RebalRegister = row - 2
End Function

Private Sub RebalDescribe(ByVal sheet As Object, ByVal row As Long)
    Dim helps() As String
    Dim column As Long
    column = 4
    Do While sheet.Cells(row, column).Value <> ""
        ReDim Preserve helps(0 To column - 4)
        helps(column - 4) = sheet.Cells(row, column).Value
        column = column + 1
    Loop
    ' Help is a comfort: where Excel refuses it, the function works without.
    On Error Resume Next
    If column = 4 Then
        Application.MacroOptions Macro:=sheet.Cells(row, 1).Value, Description:=sheet.Cells(row, 3).Value, _
            Category:=sheet.Cells(row, 2).Value
    Else
        Application.MacroOptions Macro:=sheet.Cells(row, 1).Value, Description:=sheet.Cells(row, 3).Value, _
            Category:=sheet.Cells(row, 2).Value, ArgumentDescriptions:=helps
    End If
End Sub

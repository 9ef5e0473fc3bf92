Attribute VB_Name = "RebalHelp"
Option Explicit

' Gives Excel's function wizard the help of every function, from the hidden sheet of functions: one row each, with the
' name, the category, the help and then the help of each argument.
Public Sub RebalRegister(ByVal sheet As Object)
    Dim row As Long
    Dim column As Long
    Dim helps() As String
    On Error Resume Next
    row = 2
    Do While sheet.Cells(row, 1).Value <> ""
        column = 4
        Do While sheet.Cells(row, column).Value <> ""
            ReDim Preserve helps(0 To column - 4)
            helps(column - 4) = sheet.Cells(row, column).Value
            column = column + 1
        Loop
        If column = 4 Then
            Application.MacroOptions Macro:=sheet.Cells(row, 1).Value, Description:=sheet.Cells(row, 3).Value, _
                Category:=sheet.Cells(row, 2).Value
        Else
            Application.MacroOptions Macro:=sheet.Cells(row, 1).Value, Description:=sheet.Cells(row, 3).Value, _
                Category:=sheet.Cells(row, 2).Value, ArgumentDescriptions:=helps
        End If
        Erase helps
        row = row + 1
    Loop
End Sub

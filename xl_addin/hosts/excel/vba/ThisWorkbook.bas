Attribute VB_Name = "ThisWorkbook"
Option Explicit

Private Sub Workbook_Open()
    Dim wasSaved As Boolean
    wasSaved = Me.Saved
    ' Help is a comfort: a workbook whose sheet of functions was thrown away opens without.
    On Error Resume Next
    RebalRegister Me.Worksheets("Functions")
    On Error GoTo 0
    ' Registering help is no change of the person's.
    Me.Saved = wasSaved
End Sub
